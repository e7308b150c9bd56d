import { Account, type Grant, PATIENCE_MS, type Proof, type Standing } from "./account.ts";
import { OvertError } from "./errors.ts";
import type { Options, Receipt, ShownNotice } from "./index.ts";
import { Ledger } from "./ledger.ts";
import { Outbox, entryId } from "./outbox.ts";
import { Recorder } from "./recorder.ts";
import { Sender } from "./sender.ts";
import { LEFT, Vault, isSupported } from "./vault.ts";

/** Looks at the indicator from one beat to the next, and beats until others' pages are looked for. */
const BEAT_LOOKS = 2;
const RECOVER_BEATS = 4;
const FAREWELL_MS = 10_000;

/** What tabs of one study tell each other. */
type Said = "withdrawn" | "granted" | "paused" | "resumed" | "changed";

/** One person in one study on this device: joining, sending, and all that ends it, over all tabs. */
export class Membership {
  readonly account: Account;
  readonly recorder: Recorder;
  outbox: Outbox | null = null;
  sender: Sender | null = null;
  #name: string;
  #lang: string;
  #vault: Vault | null = null;
  #channel: BroadcastChannel | null = null;
  #looks = 0;
  #beats = 0;
  /** The question how the person stands, while it is open. */
  #asking: AbortController | null = null;
  /** Tells the server of a withdrawal that it has not heard of. */
  #farewell: (() => Promise<unknown>) | null = null;
  #shown: ShownNotice | null = null;

  constructor({ study, base = "", lang = "en" }: Options) {
    this.#name = `overt-${study}`;
    this.#lang = lang;
    this.account = new Account(base, study);
    this.recorder = new Recorder(study, this.account);
  }

  async begin(): Promise<void> {
    const { recorder } = this;
    if (!isSupported()) {
      recorder.turnOff("unsupported");
      return;
    }
    recorder.watchSecrets();
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => void this.#heard(...(data as [Said, ...string[]]));
    window.addEventListener("pagehide", () => {
      this.#asking?.abort();
      const session = recorder.leave();
      if (session) this.sender?.closing(session.kept.values());
    });
    window.addEventListener("pageshow", (event) => void (event.persisted && this.#reread()));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#asking?.abort();
      void recorder.flush();
    });
    await this.#load();
  }

  async #load(): Promise<void> {
    try {
      const vault = this.#vault ?? (await Vault.open(this.#name, false));
      const kept = await vault?.get<Grant>("grant", "grant");
      const left = kept ? null : await vault?.get<Grant>("grant", LEFT);
      if (vault && left) void this.#part(vault, left.json).catch(() => undefined);
      if (!vault || !kept) return;
      this.account.grant = kept.json;
      this.recorder.held = (await vault.get("grant", "paused")) !== null;
      await this.#start(this.#equip(vault), kept.json);
    } catch {
      this.recorder.turnOff("storage");
    }
  }

  #equip(vault: Vault): Outbox {
    this.#vault = this.account.vault = vault;
    vault.onGone = () => this.#end("withdrawn");
    this.outbox = new Outbox(vault, new Ledger(vault));
    this.sender = new Sender(this.outbox, this.account, `${this.#name}-outbox`);
    return this.outbox;
  }

  async #start(outbox: Outbox, grant: Grant): Promise<void> {
    const { recorder } = this;
    if (recorder.isStarted) return;
    const toggled = () => void (recorder.held ? this.resume() : this.pause());
    await recorder.start(grant.words, outbox, toggled, () => {
      this.#looks += 1;
      if (this.#looks % BEAT_LOOKS === 0) void this.#beat();
    });
    void this.#beat();
    void this.#compareNotice(grant);
  }

  /** A changed notice needs fresh consent. */
  async #compareNotice(grant: Grant): Promise<void> {
    const shown = await this.account.notice(grant.lang).catch(() => null);
    if (shown && shown.sha256 !== grant.notice_sha256) this.recorder.turnOff("notice");
  }

  async notice(lang = this.#lang): Promise<ShownNotice> {
    this.#lang = lang;
    this.#shown = await this.account.notice(lang);
    return this.#shown;
  }

  async join(purposes: string[], detail?: string): Promise<Receipt> {
    const { recorder, account } = this;
    if (recorder.off === "unsupported")
      throw new OvertError("this browser lacks what recording needs", "browser", "Use a recent one");
    if (!this.#shown)
      throw new OvertError("the notice was not fetched", "join", "Show what notice() returns first");
    if (purposes.length === 0)
      throw new OvertError("no purpose was chosen", "purposes", "Choose at least one");
    if (account.grant && recorder.off !== "notice")
      throw new OvertError("somebody has joined here already", "join", "Withdraw first");
    await this.#farewell?.();
    const grant = await account.join(this.#shown, purposes, this.#lang, detail);
    if (account.grant) await recorder.endSession();
    const before = this.#vault;
    this.#end("");
    try {
      const vault = before ?? (await Vault.open(this.#name, true));
      if (!vault) throw new OvertError("cannot be opened", "storage");
      recorder.held = false;
      const outbox = this.#equip(vault);
      await account.keep(grant);
      await this.#start(outbox, grant);
    } catch {
      account.grant = { ...grant, former: [] };
      await account.withdraw().catch(() => undefined);
      this.#end("");
      recorder.turnOff("storage");
      throw new OvertError("cannot be written on this device", "storage", "Leave private mode");
    }
    this.say("granted");
    return grant.receipt;
  }

  async withdraw(purposes?: string[]): Promise<{ job: string }> {
    const grant = this.account.grant;
    const isLeft = (id: string) => purposes !== undefined && !purposes.includes(id);
    const left = grant?.purposes.filter(isLeft) ?? [];
    // Stop first: whatever the server says, nothing is recorded from here on.
    this.recorder.silence(left.length === 0);
    const vault = this.#vault;
    if (left.length === 0 && grant && vault) {
      await vault.empty(["key"], grant).catch(() => undefined);
      this.#end("withdrawn");
      this.say("withdrawn");
      return this.#part(vault, grant);
    }
    try {
      const job = await this.account.withdraw(purposes);
      await this.#narrow(isLeft);
      return job;
    } catch (error) {
      if (error instanceof OvertError && error.status === 410) await this.#purge();
      else {
        await this.recorder.endSession();
        await this.#fit(isLeft);
        await this.pause();
      }
      throw error;
    }
  }

  /**
   * Tell the server of a withdrawal, after what was here is gone. Out of its reach, the grant alone
   * stays, sealed, and it is told as soon as it answers, by whichever page comes first.
   */
  async #part(vault: Vault, grant: Grant): Promise<{ job: string }> {
    this.#farewell = null;
    try {
      const job = await this.account.withdraw(undefined, grant);
      await vault.destroy().catch(() => undefined);
      return job;
    } catch (error) {
      const { status = 0 } = error as Partial<OvertError>;
      if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
        await vault.destroy().catch(() => undefined);
        throw error;
      }
      const again = (this.#farewell = () => this.#part(vault, grant));
      const retry = () => this.#farewell === again && again().catch(() => undefined);
      window.setTimeout(retry, FAREWELL_MS);
      throw new OvertError("has not heard of it yet", "server", "It is told once it can be reached");
    }
  }

  /** Go on with fewer purposes; `receipt`: of this one only. */
  async #narrow(isLeft: (purpose: string) => boolean, receipt?: string): Promise<void> {
    const grant = this.account.grant;
    if (!grant) return;
    const narrowed = <T extends Proof>(proof: T): T =>
      receipt === undefined || receipt === proof.receipt_id
        ? { ...proof, purposes: proof.purposes.filter(isLeft) }
        : proof;
    await this.account.keep({ ...narrowed(grant), former: grant.former.map(narrowed) });
    if (receipt === undefined || receipt === grant.receipt_id) await this.recorder.endSession();
    await this.#fit();
    this.say("granted");
    this.recorder.update();
  }

  /** Make what waits fit what is left of each receipt. */
  async #fit(isLeft = (_purpose: string) => true): Promise<void> {
    await this.sender?.alone(async () => {
      for (const proof of this.account.proofs)
        await this.outbox?.narrow({ ...proof, purposes: proof.purposes.filter(isLeft) });
    });
  }

  /** Everything on this device goes, now: key, grant, journal, outbox. */
  async #purge(): Promise<void> {
    const vault = this.#vault;
    this.#end("withdrawn");
    this.say("withdrawn");
    await vault?.destroy().catch(() => undefined);
  }

  #end(reason: "" | "withdrawn"): void {
    this.outbox = this.sender = this.account.grant = null;
    if (reason) this.#vault = this.account.vault = null;
    this.recorder.stop(reason);
  }

  async #beat(): Promise<void> {
    const { grant } = this.account;
    if (!grant) return;
    const { recorder, sender } = this;
    this.#beats += 1;
    const own = recorder.session?.recording.session ?? "";
    const safely = async (work: () => Promise<unknown> | undefined) => {
      try {
        await work();
      } catch {
        if (this.account.grant === grant) recorder.turnOff("storage");
      }
    };
    if (this.#beats % RECOVER_BEATS === 1)
      await safely(() => sender?.recover(own, recorder.lockOf, grant.hold_days));
    void safely(async () => {
      if (!(this.outbox && this.outbox.due_ms > Date.now())) await this.send(false);
    });
    if (!document.hidden && !this.#asking) await safely(() => this.#ask(grant));
  }

  /**
   * Ask how the person stands; another device may have withdrawn. The server keeps the question open
   * until there is news: that is a connection, and a browser has few, so only one page of a study
   * does so, and only while it is seen.
   */
  async #ask(grant: Grant): Promise<void> {
    const asking = (this.#asking = new AbortController());
    const { signal } = asking;
    const late = setTimeout(() => asking.abort(), PATIENCE_MS);
    const ask = (lock: unknown) => this.account.standing(lock ? grant.purposes : [], { signal });
    const standing = await navigator.locks
      .request(`${this.#name}-asks`, { ifAvailable: true }, ask)
      .catch((): Standing => ({}));
    clearTimeout(late);
    this.#asking = null;
    if (this.account.grant?.receipt_id !== grant.receipt_id) return;
    const { withdrawn = false, purposes = grant.purposes } = standing;
    await this.#leave((id) => !withdrawn && purposes.includes(id), grant.receipt_id);
  }

  /** Go on with those purposes of a receipt that are left; with none, stop and purge. */
  async #leave(isLeft: (purpose: string) => boolean, receipt: string): Promise<void> {
    const proof = this.account.proofs.find(({ receipt_id }) => receipt_id === receipt);
    const left = proof?.purposes.filter(isLeft) ?? [];
    if (proof === this.account.grant && left.length === 0) await this.#purge();
    else if (left.length < (proof?.purposes.length ?? 0)) await this.#narrow(isLeft, receipt);
  }

  /** Send what is due; `force`: all that waits. */
  async send(force: boolean): Promise<void> {
    const hold_days = this.account.grant?.hold_days ?? 0;
    const gone = await this.sender?.pass(force, hold_days, (entry) =>
      this.recorder.forget([entryId(entry)]),
    );
    if (gone) await this.#leave((id) => !gone.purposes.includes(id), gone.receipt);
  }

  async #heard(said: Said, ...removed: string[]): Promise<void> {
    if (said === "withdrawn") {
      const vault = this.#vault;
      this.#end("withdrawn");
      // What this tab was about to write when the other emptied all.
      await vault?.empty(["key", "grant"]).catch(() => undefined);
    } else if (said === "granted") await this.#reread();
    else if (said === "changed") this.recorder.forget(removed);
    else {
      this.recorder.held = said === "paused";
      this.recorder.update();
    }
  }

  /** Another tab, or another page while this one lay still, may have changed what holds. */
  async #reread(): Promise<void> {
    const grant = this.account.grant;
    const kept = await this.#vault?.get<Grant>("grant", "grant").catch(() => null);
    if (grant && !kept) return this.#end("withdrawn");
    const same = (one: Grant) => `${one.receipt_id} ${one.purposes.join(" ")}`;
    if (grant && kept && same(kept.json) === same(grant)) {
      this.account.grant = kept.json;
      this.recorder.held = (await this.#vault?.get("grant", "paused")) != null;
      return this.recorder.update();
    }
    if (grant) await this.recorder.endSession();
    this.#end("");
    await this.#load();
    await this.#fit();
  }

  say(said: Said, ...removed: string[]): void {
    this.#channel?.postMessage([said, ...removed]);
  }

  async pause(): Promise<void> {
    this.recorder.held = true;
    this.recorder.update();
    this.say("paused");
    await this.#vault?.change([{ store: "grant", at: "paused", json: true }]);
  }

  async resume(): Promise<void> {
    this.recorder.held = false;
    this.recorder.look();
    this.say("resumed");
    await this.#vault?.change([{ store: "grant", at: "paused" }]);
  }
}
