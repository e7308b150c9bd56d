/** Events as tokens, one at a time: the rule of `overt.datasets.tokens` (tokens/1) for the page. */

import type { OvertEvent } from "../../../../sdk/src/event.ts";
import { Edit, KeyClass, Kind, Modifier, Role } from "../../../../sdk/src/generated.ts";

/** A token with what was known when it came. Times in microseconds. */
export interface Token {
  /** Place in the vocabulary; 0 is `start`. */
  token: number;
  /** Since the token before, or since the stretch began. */
  pause_us: number;
  /** Hold of the key most recently released since the token before; -1 if none was. */
  hold_us: number;
  /** 1 if it is a key down while another key is held. */
  rollover: number;
}

export const START = 0;
const SCROLL_BURST_GAP_US = 500_000;
const HELD_US_MAX = 2_000_000;
const FORGOTTEN = -1;

const EDITS: Record<number, string> = {
  [Edit.INSERT_PASTE]: "edit:paste",
  [Edit.INSERT_DROP]: "edit:paste",
  [Edit.INSERT_REPLACEMENT]: "edit:replacement",
  [Edit.DELETE_CUT]: "edit:cut",
  [Edit.UNDO]: "edit:undo",
  [Edit.REDO]: "edit:redo",
};
const CLICKS: Record<number, string> = {
  [Role.BUTTON]: "click:button",
  [Role.LINK]: "click:link",
  [Role.TEXT_FIELD]: "click:field",
  [Role.TEXT_AREA]: "click:field",
  [Role.EDITABLE]: "click:field",
  [Role.CHECKBOX]: "click:choice",
  [Role.RADIO]: "click:choice",
  [Role.SELECT]: "click:select",
  [Role.OPTION]: "click:option",
  [Role.MENU_ITEM]: "click:option",
  [Role.TARGET]: "click:target",
};
const FIELDS: readonly number[] = [Role.TEXT_FIELD, Role.TEXT_AREA, Role.EDITABLE];
const KEYS: Record<number, string> = Object.fromEntries(
  Object.entries(KeyClass).map(([name, number]) => [number, `key:${name.toLowerCase()}`]),
);

/** Turns the events of one session into tokens, in the order of `seq`. */
export class Tokens {
  private readonly numbers: Map<string, number>;
  private readonly pressed = new Map<number, number>();
  private open = false;
  private fresh = false;
  private paused = false;
  private last_us = 0;
  private scroll_us = FORGOTTEN;
  private released_us = FORGOTTEN;

  /** `vocabulary`: the names of the tokens, from the model of the page. */
  constructor(vocabulary: readonly string[]) {
    this.numbers = new Map(vocabulary.map((name, number) => [name, number]));
  }

  /** What comes of one event: nothing, a token, or `start` and the first token of a stretch. */
  push(event: OvertEvent): Token[] {
    if (event.kind === Kind.PAUSE) this.paused = true;
    if (event.kind === Kind.RESUME) this.paused = this.open = false;
    if (this.paused || event.kind === Kind.RESUME) return [];
    const now = event.t_us;
    if (!this.open) {
      this.open = this.fresh = true;
      this.last_us = now;
      this.scroll_us = this.released_us = FORGOTTEN;
      this.pressed.clear();
    }
    const rollover = event.kind === Kind.KEY_DOWN && this.holding(event) ? 1 : 0;
    const name = this.name(event);
    const token = name === undefined ? undefined : this.numbers.get(name);
    if (token === undefined) return [];
    const pause_us = Math.max(now - this.last_us, 0);
    const made = { token, pause_us, hold_us: this.released_us, rollover };
    const opening = this.fresh ? [{ token: START, pause_us: 0, hold_us: -1, rollover: 0 }] : [];
    this.fresh = false;
    this.last_us = Math.max(now, this.last_us);
    this.released_us = FORGOTTEN;
    return [...opening, made];
  }

  private holding({ slot, t_us }: OvertEvent): boolean {
    return [...this.pressed].some(([other, at]) => other !== slot && t_us - at <= HELD_US_MAX);
  }

  private name(event: OvertEvent): string | undefined {
    const now = event.t_us;
    switch (event.kind) {
      case Kind.KEY_DOWN:
        if (event.modifiers & Modifier.REPEAT) return undefined;
        if (event.slot > 0) this.pressed.set(event.slot, now);
        return KEYS[event.key_class];
      case Kind.KEY_UP: {
        const pressed = this.pressed.get(event.slot);
        if (pressed !== undefined) this.released_us = Math.max(now - pressed, 0);
        this.pressed.delete(event.slot);
        return undefined;
      }
      case Kind.EDIT:
        return EDITS[event.edit];
      case Kind.CLICK:
        return CLICKS[event.role] ?? "click:other";
      case Kind.WHEEL:
      case Kind.SCROLL: {
        const fresh = this.scroll_us < 0 || now - this.scroll_us >= SCROLL_BURST_GAP_US;
        this.scroll_us = now;
        if (!fresh) return undefined;
        return event.scroll_y_css_px < 0 ? "scroll:up" : "scroll:down";
      }
      case Kind.FOCUS:
        return FIELDS.includes(event.role) ? "focus:field" : "focus:other";
      case Kind.VISIBILITY:
        return event.value === 2 ? "hidden" : "shown";
      default:
        return undefined;
    }
  }
}
