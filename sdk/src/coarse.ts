import type { Facts } from "./event.ts";
import { KeyClass, Kind, Modifier, Pointer } from "./generated.ts";

export const COARSE = "rhythm/1";

const STEP_US = 1_000_000;

/** Kinds whose time is kept to the second. */
const TIMED: readonly number[] = [
  Kind.KEY_DOWN,
  Kind.EDIT,
  Kind.COMPOSITION_START,
  Kind.COMPOSITION_END,
  Kind.SELECTION,
  Kind.FOCUS,
  Kind.BLUR,
  Kind.NAVIGATION,
];
const GONE: readonly number[] = [Kind.KEY_UP, Kind.COMMAND, Kind.VIEW];
const HELD: readonly number[] = [
  KeyClass.SHIFT,
  KeyClass.CONTROL,
  KeyClass.ALT,
  KeyClass.META,
  KeyClass.CAPS_LOCK,
];
const TYPED: readonly number[] = [KeyClass.DIGIT, KeyClass.PUNCTUATION];

/**
 * `rhythm/1`: what an event may say of a key, or null if it does not exist there. The rule is that
 * of `overt.schema.coarse`; vectors in spec/vectors/coarse.json hold both to it.
 */
export function coarse(kind: number, t_us: number, facts: Facts): [number, Facts] | null {
  const { key_class = 0, modifiers = 0, pointer = 0 } = facts;
  if (GONE.includes(kind)) return null;
  if (kind === Kind.KEY_DOWN && (HELD.includes(key_class) || modifiers & Modifier.REPEAT))
    return null;
  const byKey = TIMED.includes(kind) || (kind === Kind.CLICK && pointer === Pointer.NONE);
  const kept = TYPED.includes(key_class) ? KeyClass.LETTER : key_class;
  const rest =
    kind === Kind.POINTER_MOVE ? { value: 0, scroll_x_css_px: 0, scroll_y_css_px: 0 } : {};
  return [
    byKey ? Math.floor(t_us / STEP_US) * STEP_US : t_us,
    { ...facts, ...rest, key_class: kept, key_symbol: 0, slot: 0, modifiers: 0 },
  ];
}
