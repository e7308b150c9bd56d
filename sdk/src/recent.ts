/** How long what was found of an element holds: one press of a key makes five events. */
const FRESH_MS = 100;

/** The last answer to a question that is dear to ask, and is asked several times in a row. */
export class Recent<T> {
  #target: EventTarget | null = null;
  #found: T | null = null;
  #found_ms = 0;

  /** What `find` says of the target at a time, or said a moment before. */
  of(target: EventTarget | null, at_ms: number, find: () => T): T {
    const isFresh = this.#target === target && Math.abs(at_ms - this.#found_ms) < FRESH_MS;
    if (this.#found !== null && isFresh) return this.#found;
    this.#target = target;
    this.#found_ms = at_ms;
    return (this.#found = find());
  }

  forget(): void {
    this.#found = null;
  }
}
