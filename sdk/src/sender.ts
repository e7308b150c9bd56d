import { type Account, GONE } from "./account.ts";
import { now_ms } from "./clock.ts";
import { folded } from "./fold.ts";
import { NEEDED } from "./generated.ts";
import { type Entry, type Kept, type Outbox, placeOf } from "./outbox.ts";
import type { Place } from "./vault.ts";

const PATH = "/v1/batches";
/** Entries that are marked, and forgotten, in one step each. */
const TOGETHER = 8;
const DAY_MS = 86_400_000;
const WAIT_FIRST_MS = 1000;
const WAIT_LAST_MS = 300_000;
/** Bodies of all requests that outlive a page share 64 KiB; some of it may be taken. */
const CLOSING_BYTES_MAX = 60_000;

/** Said by whoever finds it so. */
const TOO_LARGE = 413;

/** What a collector says with a status. */
type Said = { stored?: number; error?: object; withdrawn?: string[] } | null | undefined;

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
  if (status === TOO_LARGE) return rows > 1 ? "split" : "quarantined";
  return status === 400 || status === 422 ? "quarantined" : "wait";
}

/** How long to wait after `failures` in a row, ms: doubling, with jitter, at least as told (s, or when). */
export function wait_ms(failures: number, retryAfter: string | null, random = Math.random()): number {
  const grown = Math.min(WAIT_LAST_MS, WAIT_FIRST_MS * 2 ** Math.min(failures - 1, 20));
  const told_s = Number(retryAfter ?? 0);
  const told_ms = Number.isNaN(told_s) ? Date.parse(retryAfter ?? "") - Date.now() : told_s * 1000;
  return Math.max(0, Math.min(told_ms || 0, DAY_MS)) + grown * (0.5 + random / 2);
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

  /** So long what is due may wait; 0: not beyond the page. */
  get #hold_days(): number {
    return this.#account.grant?.hold_days ?? 0;
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
  async pass(force: boolean, told: (entry: Entry) => void): Promise<Gone | null> {
    this.#gone = null;
    const run = async () => {
      await this.#running?.catch(() => undefined);
      if (!force && now_ms() < this.waitUntil_ms) return;
      const due = await this.#due(force);
      while (due.length > 0) {
        const some = due.splice(0, this.#failures > 0 ? 1 : TOGETHER);
        if (!(await this.alone(() => this.#try(some, force, told)))) break;
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

  async #due(force: boolean): Promise<Place[]> {
    const places = await this.#outbox.places();
    const known = this.#known;
    this.#known = new Map();
    const fresh = places.filter((at) => !known.has(JSON.stringify(at)));
    for (const kept of await this.#outbox.entries(fresh))
      if (kept) known.set(JSON.stringify(placeOf(kept.entry)), kept.entry);
    const waiting: Entry[] = [];
    this.#outbox.due_ms = Infinity;
    for (const at of places) {
      const id = JSON.stringify(at);
      const entry = known.get(id);
      if (!entry) continue;
      this.#known.set(id, entry);
      if (force || entry.due_ms <= Date.now()) waiting.push(entry);
      this.#outbox.due_ms = Math.min(this.#outbox.due_ms, entry.due_ms);
    }
    return waiting.sort((a, b) => a.closed_ms - b.closed_ms).map(placeOf);
  }

  /** Try these entries; false if the rest has to wait. */
  async #try(
    places: Place[],
    force: boolean,
    told: (entry: Entry) => void,
  ): Promise<boolean> {
    const ready: Kept[] = [];
    const at_ms = Date.now();
    const hold_days = this.#hold_days;
    for (const kept of await this.#outbox.entries(places)) {
      if (!kept) continue;
      const { header, due_ms } = kept.entry;
      const expired = hold_days > 0 && at_ms > due_ms + hold_days * DAY_MS;
      if (expired || !this.#account.proofs.some((one) => one.receipt_id === header.receipt)) {
        await this.#outbox.drop(kept.entry, "lost");
        told(kept.entry);
      } else if (force || due_ms <= at_ms) ready.push(kept);
    }
    const acknowledged: Entry[] = [];
    let goesOn = true;
    for (const kept of await this.#outbox.leaving(ready)) {
      const outcome = await this.#send(kept);
      goesOn = outcome !== "wait" && outcome !== "gone";
      if (!goesOn) break;
      if (outcome === "acknowledged") acknowledged.push(kept.entry);
      else told(kept.entry);
    }
    await this.#outbox.acknowledged(acknowledged);
    acknowledged.forEach(told);
    return goesOn;
  }

  async #send({ entry, rows }: Kept): Promise<Outcome> {
    const { header } = entry;
    const answer = await this.#account
      .fetch(PATH, { method: "POST", body: folded(header, rows) }, header.receipt)
      .catch(() => null);
    const said = (await answer?.json().catch(() => null)) as Said;
    // A network in between (a page to log in, a proxy) may answer anything: that is nobody's word.
    const own = answer?.status === TOO_LARGE || said?.stored || said?.error;
    const status = (own && answer?.status) || 0;
    // A server that does not know an earlier receipt any more must not hold up the present one.
    const former = header.receipt !== this.#account.grant?.receipt_id;
    const unknown = former && [401, 403, 404].includes(status);
    let outcome = unknown ? "quarantined" : outcomeOf(status, header.rows);
    const parted = outcome === "split" ? await this.#outbox.more().catch(() => null) : null;
    if (outcome === "split" && !parted) outcome = "wait";
    if (outcome === "wait") {
      this.#failures += 1;
      const told = answer?.headers.get("Retry-After") ?? null;
      this.waitUntil_ms = now_ms() + wait_ms(this.#failures, told);
      return outcome;
    }
    this.#failures = 0;
    this.waitUntil_ms = 0;
    if (outcome === "gone") {
      const purposes = said?.withdrawn ?? Object.keys(NEEDED);
      this.#gone = { receipt: header.receipt, purposes };
    } else if (outcome === "quarantined") await this.#outbox.drop(entry, outcome);
    else await parted?.split(this.#outbox, { entry, rows });
    this.#known.delete(JSON.stringify(placeOf(entry)));
    return outcome;
  }

  /**
   * The page closes: hand what has passed its delay to requests that outlive it. Not awaited,
   * because that would not finish; the entries stay, and are told apart at the next visit by the
   * collector's "already have it".
   */
  closing(kept: Iterable<Kept>): void {
    if (now_ms() < this.waitUntil_ms) return;
    let room = CLOSING_BYTES_MAX;
    for (const { entry, rows } of kept) {
      if (!(entry.due_ms <= Date.now())) continue;
      const body = folded(entry.header, rows);
      if (body.length > room) continue;
      room -= body.length;
      const init = { method: "POST", body, keepalive: true };
      this.#account.send(PATH, init, entry.header.receipt).catch(() => undefined);
      void this.alone(() => this.#left(placeOf(entry))).catch(() => undefined);
    }
  }

  async #left(at: Place): Promise<void> {
    const found = await this.#outbox.entry(at);
    if (found) await this.#outbox.leaving([found]);
  }

  /**
   * Close what pages left behind that are no more. `own`: the session of this page. Where the
   * notice lets nothing be held over (`hold_days` 0), what they left is lost, and counted so.
   */
  async recover(own: string, lockOf: (session: string) => string): Promise<void> {
    const open = await this.#outbox.vault.places("sessions");
    for (const at of open) {
      const session = String(at);
      if (session === own) continue;
      await navigator.locks.request(lockOf(session), { ifAvailable: true }, async (lock) => {
        if (!lock) return;
        await this.#outbox.recover(session);
        // It may have left something that is due.
        this.#outbox.due_ms = 0;
        if (!this.#hold_days) await this.alone(() => this.#outbox.lose(session));
      });
    }
    if (this.#outbox.ledger.isLong) await this.alone(() => this.#outbox.fold(open));
  }
}

