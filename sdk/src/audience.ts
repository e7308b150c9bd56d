/** Those who asked to be told. What they throw reaches the page's console, not the recording. */
export class Audience<T> {
  #callbacks = new Set<(told: T) => void>();

  /** Returns the function that ends it. */
  join(callback: (told: T) => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  get isEmpty(): boolean {
    return this.#callbacks.size === 0;
  }

  /** `make` runs only if somebody listens. */
  tell(make: () => T): void {
    for (const callback of this.#callbacks)
      try {
        callback(make());
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
  }
}
