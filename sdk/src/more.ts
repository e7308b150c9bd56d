/**
 * The third file, `overt-more.js`: what a page needs only when somebody joins, or looks. The SDK loads it when
 * the outbox is opened, and holds it to its hash; a page that shows events in words imports it too.
 */

export {
  Command,
  Edit,
  KeyClass,
  Kind,
  Modifier,
  PURPOSES,
  Pointer,
  Role,
  SYMBOL_NAMED_BASE,
} from "./generated.ts";
export { list, split } from "./entries.ts";
export { frames } from "./frames.ts";
export { join } from "./joining.ts";
export { decode } from "./wire.ts";
export { describe } from "./words.ts";
