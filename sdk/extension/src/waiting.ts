import type { Proof } from "../../src/account.ts";
import { split } from "../../src/entries.ts";
import { Ledger } from "../../src/ledger.ts";
import { Outbox, entryId } from "../../src/outbox.ts";
import { type Gone, Sender } from "../../src/sender.ts";
import type { Vault } from "../../src/vault.ts";
import type { Counted } from "./counted.ts";
import { Desk } from "./desk.ts";

/** What came of sending: what the collector says is withdrawn, and whether it took anything. */
interface Sent {
  gone: Gone | null;
  taken: boolean;
}

/** What waits in this browser to leave, of one study: what pages write, batches, and their way out. */
export class Waiting {
  readonly outbox: Outbox;
  readonly desk: Desk;
  #account: Counted;
  #vault: Vault;
  #sender: Sender;
  #sending: Promise<unknown> = Promise.resolve();
  #isSending = false;

  /** `lock`: who holds it sends, removes or folds. */
  constructor(vault: Vault, account: Counted, lock: string) {
    this.#vault = vault;
    this.#account = account;
    this.outbox = new Outbox(vault, new Ledger(vault), async () => ({ split }));
    this.desk = new Desk(this.outbox);
    this.#sender = new Sender(this.outbox, account, lock);
  }

  /**
   * Send what is due; `force`: all that waits. One at a time, or events would be counted twice. `isLeft`:
   * the person has left, so nothing is sent.
   */
  async send(force: boolean, isLeft: () => boolean): Promise<Sent> {
    if (this.#isSending && !force) return { gone: null, taken: false };
    const before = this.#sending;
    this.#isSending = true;
    const mine = before.then(() => (isLeft() ? { gone: null, taken: false } : this.#pass(force)));
    const settled = mine.catch(() => undefined);
    this.#sending = settled;
    return mine.finally(() => {
      if (this.#sending === settled) this.#isSending = false;
    });
  }

  async #pass(force: boolean): Promise<Sent> {
    const account = this.#account;
    const before = await this.outbox.ledger.counts();
    const { bytes } = account;
    const gone = await this.#sender.pass(force, () => undefined);
    const after = await this.outbox.ledger.counts();
    const events = after.acknowledged - before.acknowledged;
    if (events > 0) await this.#vault.change([await account.count(events, account.bytes - bytes)]);
    await this.#alone(async () => this.outbox.fold(await this.desk.sessions()));
    return { gone, taken: events > 0 };
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#sender.alone(work);
  }

  /** Take entries out; they never leave. Returns how many events. */
  remove(which: (entry: { id: string; closed_ms: number }) => boolean): Promise<number> {
    return this.#alone(() => this.#drop(which));
  }

  async #drop(which: (entry: { id: string; closed_ms: number }) => boolean): Promise<number> {
    let rows = 0;
    for (const at of await this.outbox.places()) {
      const kept = await this.outbox.entry(at);
      if (kept && which({ id: entryId(kept.entry), closed_ms: kept.entry.closed_ms }))
        rows += await this.outbox.drop(kept.entry, "removed");
    }
    return rows;
  }

  /** Take out all, journal and batches. */
  empty(): Promise<void> {
    return this.#alone(async () => {
      for (const store of ["journal", "sessions"] as const)
        for (const at of await this.#vault.places(store)) await this.#vault.change([{ store, at }]);
      await this.#drop(() => true);
    });
  }

  /** A page is gone, and nothing may be held over. */
  lose(session: string): Promise<void> {
    return this.#alone(() => this.outbox.lose(session));
  }

  /** Make it fit what is left of each receipt. */
  fit(proofs: readonly Proof[]): Promise<void> {
    return this.#alone(async () => {
      for (const proof of proofs) await this.outbox.narrow(proof);
    });
  }
}
