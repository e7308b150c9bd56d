import { type Grant, PATIENCE_MS, type Proof, type Standing } from "./account.ts";
import type { Counts } from "./index.ts";
import { Ledger } from "./ledger.ts";
import type { Membership } from "./membership.ts";
import { Outbox, entryId } from "./outbox.ts";
import type { Recorder } from "./recorder.ts";
import { Sender } from "./sender.ts";
import type { Vault } from "./vault.ts";

/** Looks at the indicator from one beat to the next, and beats until others' pages are looked for. */
const BEAT_LOOKS = 2;
const RECOVER_BEATS = 4;

/**
 * What is done again and again while somebody has joined: send what is due, close what other pages
 * left, ask how the person stands; and, when that has changed, make what waits fit it.
 */
export class Rounds {
  readonly outbox: Outbox;
  readonly sender: Sender;
  #member: Membership;
  #recorder: Recorder;
  #looks = 0;
  #beats = 0;
  /** The question how the person stands, while it is open. */
  #asking: AbortController | null = null;

  constructor(member: Membership, recorder: Recorder, vault: Vault) {
    this.#member = member;
    this.#recorder = recorder;
    this.outbox = new Outbox(vault, new Ledger(vault), member.more);
    this.sender = new Sender(this.outbox, member.account, `${member.name}-outbox`);
  }

  /** The indicator was looked at; so often is anything done. */
  looked(): void {
    if (this.#looks % BEAT_LOOKS === 0) void this.beat();
    this.#looks += 1;
  }

  /** The page goes away, or is not seen any more: it asks nothing. */
  hush(): void {
    this.#asking?.abort();
  }

  async beat(): Promise<void> {
    const { grant } = this.#member.account;
    if (!grant) return;
    const { outbox, sender } = this;
    const recorder = this.#recorder;
    this.#beats += 1;
    const own = recorder.session?.recording.session ?? "";
    const safely = async (work: () => Promise<unknown>) => {
      try {
        await work();
      } catch {
        if (this.#member.account.grant === grant) this.#member.turnOff("storage");
      }
    };
    if (this.#beats % RECOVER_BEATS === 1)
      await safely(() => sender.recover(own, recorder.lockOf));
    void safely(async () => {
      if (outbox.due_ms <= Date.now()) await this.send(false);
    });
    if (!document.hidden && !this.#asking) await safely(() => this.#ask(grant));
  }

  /**
   * Ask how the person stands; another device may have withdrawn. The server keeps the question open
   * until there is news: that is a connection, and a browser has few, so only one page of a study
   * does so, and only while it is seen.
   */
  async #ask(grant: Grant): Promise<void> {
    const { account, name } = this.#member;
    const asking = (this.#asking = new AbortController());
    const { signal } = asking;
    const late = setTimeout(() => asking.abort(), PATIENCE_MS);
    const ask = (lock: unknown) => account.standing(lock ? grant.purposes : [], { signal });
    const standing = await navigator.locks
      .request(`${name}-asks`, { ifAvailable: true }, ask)
      .catch((): Standing => ({}));
    clearTimeout(late);
    this.#asking = null;
    if (account.grant?.receipt_id !== grant.receipt_id) return;
    const { withdrawn = false, purposes = grant.purposes } = standing;
    await this.#leave((id) => !withdrawn && purposes.includes(id), grant.receipt_id);
  }

  /** Go on with those purposes of a receipt that are left; with none, stop and purge. */
  async #leave(isLeft: (purpose: string) => boolean, receipt: string): Promise<void> {
    const { account } = this.#member;
    const proof = account.proofs.find(({ receipt_id }) => receipt_id === receipt);
    const left = proof?.purposes.filter(isLeft) ?? [];
    if (proof === account.grant && left.length === 0) await this.#member.purge();
    else if (left.length < (proof?.purposes.length ?? 0)) await this.narrow(isLeft, receipt);
  }

  /** Go on with fewer purposes; `receipt`: of this one only. */
  async narrow(isLeft: (purpose: string) => boolean, receipt?: string): Promise<void> {
    const { account } = this.#member;
    const { grant } = account;
    if (!grant) return;
    const narrowed = <T extends Proof>(proof: T): T =>
      receipt === undefined || receipt === proof.receipt_id
        ? { ...proof, purposes: proof.purposes.filter(isLeft) }
        : proof;
    await account.keep({ ...narrowed(grant), former: grant.former.map(narrowed) });
    if (receipt === undefined || receipt === grant.receipt_id) await this.#recorder.endSession();
    await this.fit();
    this.#member.say("granted");
    this.#recorder.update();
  }

  /** Make what waits fit what is left of each receipt. */
  async fit(isLeft = (_purpose: string) => true): Promise<void> {
    await this.sender.alone(async () => {
      for (const proof of this.#member.account.proofs)
        await this.outbox.narrow({ ...proof, purposes: proof.purposes.filter(isLeft) });
    });
  }

  /** Send what is due; `force`: all that waits. */
  async send(force: boolean): Promise<void> {
    const gone = await this.sender.pass(force, (entry) => this.#recorder.forget([entryId(entry)]));
    if (gone) await this.#leave((id) => !gone.purposes.includes(id), gone.receipt);
  }

  async counts(): Promise<Counts> {
    const open = this.#recorder.session?.open ?? 0;
    const all = await this.outbox.ledger.counts();
    const produced = all.produced + open;
    const ended = all.removed + all.acknowledged + all.lost + all.quarantined;
    return { ...all, produced, waiting: produced - ended, untrusted: this.#recorder.ignored };
  }

  /** Take these entries, and those closed since then, out of what waits; returns how many events. */
  async remove(named: readonly string[], since_ms = Infinity): Promise<number> {
    const ids: string[] = [];
    const removed = await this.sender.alone(async () => {
      let rows = 0;
      for (const at of await this.outbox.places()) {
        const kept = await this.outbox.entry(at);
        const id = kept ? entryId(kept.entry) : "";
        if (!kept || !(named.includes(id) || kept.entry.closed_ms >= since_ms)) continue;
        ids.push(id);
        this.#recorder.session?.kept.delete(id);
        rows += await this.outbox.drop(kept.entry, "removed");
      }
      this.#member.say("changed", ...ids);
      return rows;
    });
    this.#member.tell();
    return removed;
  }
}
