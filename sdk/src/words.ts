import type { OvertEvent } from "./event.ts";
import { Command, Edit, KeyClass, Kind, Role, SYMBOL_NAMED_BASE } from "./generated.ts";

const SETS = { kind: Kind, key_class: KeyClass, edit: Edit, command: Command, role: Role } as const;

/** What members of closed sets are called in a language, by their names in small letters. */
export type EventWords = Record<keyof typeof SETS, Readonly<Record<string, string>>> & {
  /** `{count}` is filled in. */
  characters: string;
};

/**
 * The event in plain words, such as `key down · letter` or `pointer move · 310, 42`. `words`: those of
 * a notice (`notice.events`); a notice in English has none and needs none.
 */
export function describe(event: OvertEvent, words?: EventWords): string {
  const called = (set: keyof typeof SETS, value: number): string => {
    const members: Readonly<Record<string, number>> = SETS[set];
    const found = Object.keys(members).find((key) => members[key] === value) ?? `${value}`;
    const name = found.toLowerCase();
    return words?.[set][name] ?? name.replaceAll("_", " ");
  };
  const parts = [called("kind", event.kind)];
  if (event.key_class) parts.push(called("key_class", event.key_class));
  // Level `keys` alone has it.
  if (event.key_symbol > 0 && event.key_symbol < SYMBOL_NAMED_BASE)
    parts.push(String.fromCodePoint(event.key_symbol).replace(/\s/u, "␣"));
  const chars = (words?.characters ?? "characters: {count}").replace("{count}", `${event.edit_chars}`);
  if (event.edit) parts.push(called("edit", event.edit), chars);
  if (event.kind === Kind.COMMAND) parts.push(called("command", event.value));
  if (event.role) parts.push(called("role", event.role));
  if (event.kind === Kind.WHEEL || event.kind === Kind.SCROLL)
    parts.push(`${event.scroll_x_css_px}, ${event.scroll_y_css_px} px`);
  else if (event.pointer && event.kind !== Kind.HOVER)
    parts.push(`${event.x_8th_css_px / 8}, ${event.y_8th_css_px / 8}`);
  return parts.join(" · ");
}
