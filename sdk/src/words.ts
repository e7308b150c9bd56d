import type { OvertEvent } from "./event.ts";
import { Command, Edit, KeyClass, Kind, Role, SYMBOL_NAMED_BASE } from "./generated.ts";

function nameIn(set: Readonly<Record<string, number>>, value: number): string {
  const name = Object.keys(set).find((key) => set[key] === value) ?? `${value}`;
  return name.toLowerCase().replaceAll("_", " ");
}

/** The event in plain words, such as `key down · letter` or `pointer move · 310, 42`. */
export function describe(event: OvertEvent): string {
  const parts = [nameIn(Kind, event.kind)];
  if (event.key_class) parts.push(nameIn(KeyClass, event.key_class));
  // Level `keys` alone has it.
  if (event.key_symbol > 0 && event.key_symbol < SYMBOL_NAMED_BASE)
    parts.push(String.fromCodePoint(event.key_symbol));
  if (event.edit) parts.push(nameIn(Edit, event.edit), `${event.edit_chars} characters`);
  if (event.kind === Kind.COMMAND) parts.push(nameIn(Command, event.value));
  if (event.role) parts.push(nameIn(Role, event.role));
  if (event.kind === Kind.WHEEL || event.kind === Kind.SCROLL)
    parts.push(`${event.scroll_x_css_px}, ${event.scroll_y_css_px} px`);
  else if (event.pointer && event.kind !== Kind.HOVER)
    parts.push(`${event.x_8th_css_px / 8}, ${event.y_8th_css_px / 8}`);
  return parts.join(" · ");
}
