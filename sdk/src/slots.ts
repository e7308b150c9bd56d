/** A key that is down: its number, and its class as it was when it went down. */
export interface Held {
  slot: number;
  key_class: number;
  key_symbol: number;
}

/**
 * Pairs each key up with its key down. A key takes the lowest free number while it is held, so the
 * number says which press a release belongs to, and not which key it was. What the browser calls
 * the key is known here only as long as it is down.
 */
export class Slots {
  #held = new Map<string, Held>();

  /** The key `code` went down; a repeat keeps its number. */
  press(code: string, key_class: number, key_symbol: number, repeat: boolean): Held {
    const before = this.#held.get(code);
    if (before && repeat) return before;
    this.#held.delete(code);
    let slot = 1;
    if (this.#held.size > 0) {
      const taken = new Set([...this.#held.values()].map((held) => held.slot));
      while (taken.has(slot)) slot += 1;
    }
    const held = { slot: Math.min(slot, 127), key_class, key_symbol };
    this.#held.set(code, held);
    return held;
  }

  /** The key `code` went up; null if its press was not recorded. */
  release(code: string): Held | null {
    const held = this.#held.get(code) ?? null;
    this.#held.delete(code);
    return held;
  }

  clear(): void {
    this.#held.clear();
  }
}
