import { type Account, GONE } from "./account.ts";
import { PURPOSES } from "./generated.ts";
import type { Entry, Outbox } from "./outbox.ts";
import type { Place } from "./vault.ts";
import { more } from "./second.ts";

const PATH = "/v1/batches";
const DAY_MS = 86_400_000;
const WAIT_FIRST_MS = 1000;
const WAIT_LAST_MS = 300_000;
/** Bodies of all requests that outlive a page share 64 KiB; some of it may be taken. */
const CLOSING_BYTES_MAX = 60_000;

/** Purposes of a receipt that the collector says are withdrawn. */
export interface Gone {
  receipt: string;
  purposes: string[];
}

/** What became of one try. */
export type Outcome = "acknowledged" | "split" | "quarantined" | "gone" | "wait";

/** What an answer of the collector means for the batch. */
export function outcomeOf(status: number, rows: number): Outcome {
  if (status === 200 || status === 409) return "acknowledged";
  if (status === GONE) return "gone";
  if (status === 413) return rows > 1 ? "split" : "quarantined";
  return status === 400 || status === 422 ? "quarantined" : "wait";
}

/** How long to wait after `failures` in a row, ms: doubling, with jitter, at least as told (s, or when). */
export function wait_ms(failures: number, retryAfter: string | null, random = Math.random()): number {
  const grown = Math.min(WAIT_LAST_MS, WAIT_FIRST_MS * 2 ** Math.min(failures - 1, 20));
  const told_s = Number(retryAfter ?? 0);
  const told_ms = Number.isNaN(told_s) ? Date.parse(retryAfter ?? "") - Date.now() : told_s * 1000;
  return Math.max(0, Math.min(told_ms || 0, DAY_MS)) + grown * (0.5 + random / 2);
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** Empties the outbox, entry by entry; several tabs may try, one at a time holds an entry. */
export class Sender {
  /** Time since the page began before which nothing is tried again: no clock that can be set. */
  waitUntil_ms = 0;
  #outbox: Outbox;
  #account: Account;
  #lock: string;
  #known = new Map<string, Entry>();
  #failures = 0;
  #gone: Gone | null = null;
  #running: Promise<void> | null = null;

  constructor(outbox: Outbox, account: Account, lock: string) {
    this.#outbox = outbox;
    this.#account = account;
    this.#lock = lock;
  }

  /** Run `work` while no tab sends, removes or folds. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return navigator.locks.request(this.#lock, work) as Promise<T>;
  }

  /**
   * Try each entry that is due, oldest first, until one has to wait. `force`: all that is there,
   * whatever its delay. `told` hears of each entry that ended. Returns what the collector says is
   * withdrawn.
   */
  async pass(force: boolean, hold_days: number, told: (entry: Entry) => void): Promise<Gone | null> {
    this.#gone = null;
    const run = async () => {
      await this.#running?.catch(() => undefined);
      if (!force && performance.now() < this.waitUntil_ms) return;
      for (const at of await this.#ordered()) {
        const known = this.#known.get(JSON.stringify(at));
        if (known && !force && !(known.due_ms <= Date.now())) continue;
        const outcome = await this.alone(() => this.#try(at, force, hold_days, told));
        if (outcome === "wait" || outcome === "gone") break;
      }
    };
    if (this.#running && !force) return null;
    const mine = run();
    this.#running = mine;
    try {
      await mine;
    } finally {
      if (this.#running === mine) this.#running = null;
    }
    return this.#gone;
  }

  async #ordered(): Promise<Place[]> {
    const places = await this.#outbox.places();
    for (const at of places) {
      const id = JSON.stringify(at);
      if (this.#known.has(id)) continue;
      const found = await this.#outbox.entry(at);
      if (found) this.#known.set(id, found.entry);
    }
    const here = new Set(places.map((at) => JSON.stringify(at)));
    for (const id of this.#known.keys()) if (!here.has(id)) this.#known.delete(id);
    const closed = (at: Place) => this.#known.get(JSON.stringify(at))?.closed_ms ?? 0;
    return places.sort((a, b) => closed(a) - closed(b));
  }

  async #try(
    at: Place,
    force: boolean,
    hold_days: number,
    told: (entry: Entry) => void,
  ): Promise<Outcome> {
    const found = await this.#outbox.entry(at);
    if (!found) return "acknowledged";
    const now_ms = Date.now();
    const { entry } = found;
    const place = this.#account.proofs.findIndex((one) => one.receipt_id === entry.receipt);
    const expired = hold_days > 0 && now_ms > entry.due_ms + hold_days * DAY_MS;
    if (expired || place < 0) {
      await this.#outbox.drop(entry, "lost");
      told(entry);
      return "acknowledged";
    }
    if (!force && !(entry.due_ms <= now_ms)) return "acknowledged";
    const bytes = await this.#outbox.leaving(entry, found.bytes);
    const answer = await gzip(bytes)
      .then((body) => this.#account.fetch(PATH, { method: "POST", body }, entry.receipt))
      .catch(() => null);
    const status = answer?.status ?? 0;
    // A server that does not know an earlier receipt any more must not hold up the present one.
    const unknown = place > 0 && [401, 403, 404].includes(status);
    let outcome = unknown ? "quarantined" : outcomeOf(status, entry.rows);
    const parted = outcome === "split" ? await more().catch(() => null) : null;
    if (outcome === "split" && !parted) outcome = "wait";
    if (outcome === "wait") {
      this.#failures += 1;
      const told = answer?.headers.get("Retry-After") ?? null;
      this.waitUntil_ms = performance.now() + wait_ms(this.#failures, told);
      return outcome;
    }
    this.#failures = 0;
    this.waitUntil_ms = 0;
    if (outcome === "gone") {
      const body = (await answer?.json().catch(() => null)) as { withdrawn?: string[] } | null;
      const purposes = body?.withdrawn ?? Object.keys(PURPOSES);
      this.#gone = { receipt: entry.receipt, purposes };
      return outcome;
    }
    if (outcome === "acknowledged") await this.#outbox.acknowledged(entry);
    else if (outcome === "quarantined") await this.#outbox.quarantine(entry, bytes);
    else await parted?.split(this.#outbox, entry, bytes);
    this.#known.delete(JSON.stringify(at));
    told(entry);
    return outcome;
  }

  /**
   * The page closes: hand what has passed its delay to requests that outlive it. Not compressed and
   * not awaited, because neither would finish; the entries stay, and are told apart at the next
   * visit by the collector's "already have it".
   */
  closing(kept: Iterable<{ entry: Entry; bytes: Uint8Array<ArrayBuffer> }>): void {
    if (performance.now() < this.waitUntil_ms) return;
    let room = CLOSING_BYTES_MAX;
    for (const { entry, bytes } of kept) {
      if (!(entry.due_ms <= Date.now()) || bytes.length > room) continue;
      room -= bytes.length;
      const init = { method: "POST", body: bytes, keepalive: true };
      this.#account.send(PATH, init, entry.receipt).catch(() => undefined);
      void this.alone(() => this.#left([entry.session, entry.batch])).catch(() => undefined);
    }
  }

  async #left(at: Place): Promise<void> {
    const found = await this.#outbox.entry(at);
    if (found) await this.#outbox.leaving(found.entry, found.bytes);
  }

  /**
   * Close what pages left behind that are no more. `own`: the session of this page. Where the
   * notice lets nothing be held over (`hold_days` 0), what they left is lost, and counted so.
   */
  async recover(
    own: string,
    lockOf: (session: string) => string,
    hold_days: number,
  ): Promise<void> {
    for (const at of await this.#outbox.vault.places("sessions")) {
      const session = String(at);
      if (session === own) continue;
      await navigator.locks.request(lockOf(session), { ifAvailable: true }, async (lock) => {
        if (!lock) return;
        await this.#outbox.recover(session);
        if (hold_days === 0) await this.alone(() => this.#outbox.lose(session));
      });
    }
    await this.alone(async () => {
      const open = await this.#outbox.vault.places("sessions");
      const waiting = await this.#outbox.places();
      await this.#outbox.ledger.fold(new Set([...open, ...waiting.map((at) => at[0])].map(String)));
    });
  }
}

