/**
 * What is kept on the device: one IndexedDB database a study, every value sealed with AES-256-GCM
 * under a key that scripts can use and not read (a non-extractable `CryptoKey`, kept there too).
 * In the clear stand only random ids and batch numbers. The place of a value is bound to it.
 */

export const STORES = ["grant", "sessions", "journal", "outbox", "facts"] as const;
/** Beside them: the key, batch numbers, and the masked last words of pages that closed. */
const ALL = [...STORES, "key", "numbers", "last"];
export type Store = (typeof STORES)[number];
export type Place = string | (string | number)[];

/** A value: some JSON, and bytes beside it. */
export interface Kept<T> {
  json: T;
  bytes: Uint8Array<ArrayBuffer>;
}

/** One step of a change: put a value, or delete what is there (`to`: all from here to there). */
export type Step =
  | { store: Store; at: Place; json: unknown; bytes?: Uint8Array }
  | { store: Store | "last"; at: Place; to?: Place; json?: undefined };

/**
 * Whether there is what keeping and sending need: a page in a sandbox is of no origin, and has none. Locks
 * are what came last to browsers, and like cryptography they are there in secure pages only. Nothing is
 * touched for it: that would have the browser make it.
 */
export const isSupported = (): boolean => origin !== "null" && "locks" in navigator;

/** Where in `grant` lies a grant that was given back while the server could not be reached. */
export const LEFT = "left";

const SEAL = "seal";
const IV_BYTES = 12;
const NONE = new Uint8Array();
const written = new TextEncoder();
const read = new TextDecoder();

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

/** Places that begin with this string; without one, all. */
const rangeOf = (under?: string) =>
  under === undefined ? null : IDBKeyRange.bound([under], [under, []]);

const bound = (store: Store, at: Place) => written.encode(JSON.stringify([store, at]));

export class Vault {
  readonly name: string;
  /** Called when another tab deletes the database. */
  onGone: () => void = () => {};
  #db: IDBDatabase;
  #key: CryptoKey;
  #ended = false;

  private constructor(name: string, db: IDBDatabase, key: CryptoKey) {
    this.name = name;
    this.#db = db;
    this.#key = key;
    db.onversionchange = () => {
      db.close();
      this.onGone();
    };
  }

  /** Open the database; null if there is none and `create` is false: then nothing is written. */
  static async open(name: string, create: boolean): Promise<Vault | null> {
    if (!create && !(await indexedDB.databases()).some((found) => found.name === name)) return null;
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => {
      for (const store of ALL) request.result.createObjectStore(store);
    };
    const db = await done(request);
    const kept = await done<CryptoKey | undefined>(db.transaction("key").objectStore("key").get(SEAL));
    return new Vault(name, db, kept ?? (await Vault.#keyOf(db)));
  }

  /** Make the key, unless another tab has made it meanwhile. */
  static async #keyOf(db: IDBDatabase): Promise<CryptoKey> {
    const how = { name: "AES-GCM", length: 256 };
    const made = await crypto.subtle.generateKey(how, false, ["encrypt", "decrypt"]);
    const transaction = db.transaction("key", "readwrite");
    const keys = transaction.objectStore("key");
    const kept = await done<CryptoKey | undefined>(keys.get(SEAL));
    const end = committed(transaction);
    if (!kept) keys.put(made, SEAL);
    transaction.commit();
    await end;
    return kept ?? made;
  }

  async #seal(store: Store, at: Place, json: unknown, bytes: Uint8Array): Promise<Uint8Array> {
    // Room for its length before it.
    const text = written.encode(`    ${JSON.stringify(json)}`);
    new DataView(text.buffer).setUint32(0, text.length - 4);
    let plain = text;
    if (bytes.length > 0) {
      plain = new Uint8Array(text.length + bytes.length);
      plain.set(text);
      plain.set(bytes, text.length);
    }
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const how = { name: "AES-GCM", iv, additionalData: bound(store, at) };
    const sealed = new Uint8Array(await crypto.subtle.encrypt(how, this.#key, plain));
    const whole = new Uint8Array(IV_BYTES + sealed.length);
    whole.set(iv);
    whole.set(sealed, IV_BYTES);
    return whole;
  }

  async #unseal<T>(store: Store, at: Place, whole: Uint8Array<ArrayBuffer>): Promise<Kept<T>> {
    const iv = whole.subarray(0, IV_BYTES);
    const how = { name: "AES-GCM", iv, additionalData: bound(store, at) };
    const opened = await crypto.subtle.decrypt(how, this.#key, whole.subarray(IV_BYTES));
    const plain = new Uint8Array(opened);
    const end = 4 + new DataView(opened).getUint32(0);
    const json = JSON.parse(read.decode(plain.subarray(4, end))) as T;
    return { json, bytes: plain.subarray(end) };
  }

  async get<T>(store: Store, at: Place): Promise<Kept<T> | null> {
    return (await this.some<T>(store, [at]))[0] ?? null;
  }

  /** Values at these places, opened; null where there is none. */
  async some<T>(store: Store, places: readonly Place[]): Promise<(Kept<T> | null)[]> {
    if (places.length === 0) return [];
    const from = this.#db.transaction(store).objectStore(store);
    const found = await Promise.all(places.map((at) => done(from.get(at))));
    return Promise.all(
      found.map((whole, index) => whole && this.#unseal<T>(store, places[index] as Place, whole)),
    );
  }

  /** Places in order. `under`: only those that begin with this string. */
  async places(store: Store, under?: string): Promise<Place[]> {
    const from = this.#db.transaction(store).objectStore(store);
    return (await done(from.getAllKeys(rangeOf(under)))) as Place[];
  }

  /** Everything in a store, opened, in order of place. */
  async all<T>(store: Store, under?: string): Promise<(Kept<T> & { at: Place })[]> {
    const places = await this.places(store, under);
    const found = await this.some<T>(store, places);
    return found.flatMap((kept, index) => (kept ? { ...kept, at: places[index] as Place } : []));
  }

  /** Do all steps or none, durably. */
  async change(steps: readonly Step[]): Promise<void> {
    const sealed = await Promise.all(
      steps.map((step) =>
        step.json === undefined ? null : this.#seal(step.store, step.at, step.json, step.bytes ?? NONE),
      ),
    );
    const stores = [...new Set(steps.map((step) => step.store))];
    if (stores.length === 0 || this.#ended) return;
    const transaction = this.#db.transaction(stores, "readwrite", { durability: "strict" });
    steps.forEach((step, index) => {
      const value = sealed[index];
      const store = transaction.objectStore(step.store);
      if (value) store.put(value, step.at);
      else store.delete("to" in step && step.to ? IDBKeyRange.bound(step.at, step.to) : step.at);
    });
    const end = committed(transaction);
    transaction.commit();
    await end;
  }

  /** Write masked bytes before this call returns, as far as a closing page can. */
  putLast(session: string, masked: Uint8Array): void {
    if (this.#ended) return;
    const transaction = this.#db.transaction("last", "readwrite");
    transaction.objectStore("last").put(masked, session);
    transaction.commit();
  }

  /** What `putLast` wrote; a step of a change deletes it. */
  last(session: string): Promise<Uint8Array | undefined> {
    return done(this.#db.transaction("last").objectStore("last").get(session));
  }

  /** Take `count` batch numbers of a session; returns the first. Atomic over tabs. */
  async number(session: string, count: number): Promise<number> {
    const transaction = this.#db.transaction("numbers", "readwrite");
    const numbers = transaction.objectStore("numbers");
    const next = ((await done(numbers.get(session))) as number | undefined) ?? 0;
    numbers.put(next + count, session);
    transaction.commit();
    return next;
  }

  /** Empty all stores but `keep` at once; from here on nothing is put. What is `left` stays, sealed. */
  async empty(keep: readonly string[] = [], left?: unknown): Promise<void> {
    this.#ended = true;
    const sealed = left && (await this.#seal("grant", LEFT, left, NONE));
    const transaction = this.#db.transaction(ALL, "readwrite", { durability: "strict" });
    for (const store of ALL) if (!keep.includes(store)) transaction.objectStore(store).clear();
    if (sealed) transaction.objectStore("grant").put(sealed, LEFT);
    const end = committed(transaction);
    transaction.commit();
    await end;
  }

  /** Empty it, then delete the database with its key. */
  async destroy(): Promise<void> {
    await this.empty();
    this.#db.close();
    const request = indexedDB.deleteDatabase(this.name);
    await new Promise<void>((resolve) => {
      request.onsuccess = request.onerror = request.onblocked = () => resolve();
    });
  }
}
