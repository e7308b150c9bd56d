import { Account, type Grant, type Proof, type Standing } from "./account.ts";
import { Audience } from "./audience.ts";
import { Capture, type Sink } from "./capture.ts";
import { COARSE, coarse } from "./coarse.ts";
import { clockResolution_us, now_us } from "./clock.ts";
import { OvertError } from "./errors.ts";
import type { Facts } from "./event.ts";
import { Gate, Secrets } from "./gate.ts";
import { Kind } from "./generated.ts";
import type { Options, Phase, Reason, Receipt, ShownNotice, State, Watched } from "./index.ts";
import { Indicator } from "./indicator.ts";
import { Ledger } from "./ledger.ts";
import { Outbox, entryId } from "./outbox.ts";
import { Sender } from "./sender.ts";
import { Session, hold } from "./session.ts";
import { Vault, isSupported } from "./vault.ts";
import { describe } from "./words.ts";

const JOURNAL_MS = 250;
const BEAT_MS = 1000;
const RECOVER_BEATS = 3;
const CLOSE_MS_MAX = 10_000;

/** What tabs of one study tell each other. */
type Said = "withdrawn" | "granted" | "paused" | "resumed" | "changed";

/** One study in one page: from the grant to the last acknowledgement. */
export class Recorder implements Sink {
  #study: string;
  #lang: string;
  readonly account: Account;
  #secrets: Secrets | null = null;
  #channel: BroadcastChannel | null = null;
  #vault: Vault | null = null;
  outbox: Outbox | null = null;
  sender: Sender | null = null;
  #indicator: Indicator | null = null;
  #capture: Capture | null = null;
  session: Session | null = null;
  #releaseSession: () => void = () => {};
  readonly watchers = new Audience<Watched>();
  readonly listeners = new Audience<State>();
  ignored = 0;
  #personPaused = false;
  #seen = false;
  #off: Reason = "";
  #phase: Phase = "none";
  #resolution_us = 0;
  #timers: number[] = [];
  #beats = 0;
  #asking = false;
  #shown: ShownNotice | null = null;

  constructor({ study, base = "", lang = "en" }: Options) {
    this.#study = study;
    this.#lang = lang;
    this.account = new Account(base, study);
  }

  async begin(): Promise<void> {
    if (!isSupported()) {
      this.#turnOff("unsupported");
      return;
    }
    this.#secrets = new Secrets();
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => void this.#heard(...(data as [Said, ...string[]]));
    window.addEventListener("pagehide", () => this.#hide());
    window.addEventListener("pageshow", (event) => void (event.persisted && this.#reread()));
    document.addEventListener("visibilitychange", () => this.#flush());
    await this.#load();
  }

  get #name(): string {
    return `overt-${this.#study}`;
  }

  #lockOf = (session: string): string => `${this.#name}-session-${session}`;

  async #load(): Promise<void> {
    try {
      const vault = this.#vault ?? (await Vault.open(this.#name, false));
      const kept = await vault?.get<Grant>("grant", "grant");
      if (!vault || !kept) return;
      this.account.grant = kept.json;
      this.#personPaused = (await vault.get("grant", "paused")) !== null;
      this.#equip(vault);
      this.#start();
    } catch {
      this.#turnOff("storage");
    }
  }

  #equip(vault: Vault): void {
    this.#vault = this.account.vault = vault;
    vault.onGone = () => this.#end("withdrawn");
    this.outbox = new Outbox(vault, new Ledger(vault));
    this.sender = new Sender(this.outbox, this.account, `${this.#name}-outbox`);
  }

  #start(): void {
    const grant = this.account.grant;
    if (!grant || !this.#secrets || this.#indicator) return;
    this.#off = "";
    this.#resolution_us ||= clockResolution_us();
    this.#indicator = new Indicator(
      grant.lang,
      () => void (this.#personPaused ? this.resume() : this.pause()),
      (visible) => {
        if (visible === this.#seen) return;
        this.#seen = visible;
        this.#update();
      },
    );
    this.#indicator.attach();
    this.#indicator.show("off");
    this.#seen = this.#indicator.isVisible();
    this.#timers = [
      window.setInterval(() => this.#flush(), JOURNAL_MS),
      window.setInterval(() => void this.#beat(), BEAT_MS),
    ];
    this.#update();
    void this.#beat();
    void this.#compareNotice(grant);
  }

  /** A changed notice needs fresh consent. */
  async #compareNotice(grant: Grant): Promise<void> {
    const shown = await this.account.notice(grant.lang).catch(() => null);
    if (shown && shown.sha256 !== grant.notice_sha256) {
      this.#off = "notice";
      this.#update();
    }
  }

  async notice(lang = this.#lang): Promise<ShownNotice> {
    this.#lang = lang;
    this.#shown = await this.account.notice(lang);
    return this.#shown;
  }

  async join(purposes: string[], detail?: string): Promise<Receipt> {
    if (this.#off === "unsupported")
      throw new OvertError("this browser lacks what recording needs", "browser", "Use a recent one");
    if (!this.#shown)
      throw new OvertError("the notice was not fetched", "join", "Show what notice() returns first");
    if (purposes.length === 0)
      throw new OvertError("no purpose was chosen", "purposes", "Choose at least one");
    if (this.account.grant && this.#off !== "notice")
      throw new OvertError("somebody has joined here already", "join", "Withdraw first");
    const grant = await this.account.join(this.#shown, purposes, this.#lang, detail);
    if (this.account.grant) await this.#endSession();
    const before = this.#vault;
    this.#end("");
    try {
      const vault = before ?? (await Vault.open(this.#name, true));
      if (!vault) throw new OvertError("cannot be opened", "storage");
      this.#personPaused = false;
      this.#equip(vault);
      await this.account.keep(grant);
    } catch {
      this.account.grant = { ...grant, former: [] };
      await this.account.withdraw().catch(() => undefined);
      this.#end("");
      this.#turnOff("storage");
      throw new OvertError("cannot be written on this device", "storage", "Leave private mode");
    }
    this.#start();
    this.say("granted");
    return grant.receipt;
  }

  async withdraw(purposes?: string[]): Promise<{ job: string }> {
    const grant = this.account.grant;
    const left = grant?.purposes.filter((id) => purposes && !purposes.includes(id)) ?? [];
    // Stop first: whatever the server says, nothing is recorded from here on.
    this.#capture?.stop();
    if (left.length === 0) this.#phase = "off";
    try {
      const job = await this.account.withdraw(left.length > 0 ? purposes : undefined);
      if (left.length > 0) await this.#narrow((id) => !purposes?.includes(id));
      else await this.#purge();
      return job;
    } catch (error) {
      if (error instanceof OvertError && error.status === 410) await this.#purge();
      else await this.pause();
      throw error;
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
    if (receipt === undefined || receipt === grant.receipt_id) await this.#endSession();
    await this.#fit();
    this.say("granted");
    this.#update();
  }

  /** Make what waits fit what is left of each receipt. */
  async #fit(): Promise<void> {
    await this.sender?.alone(async () => {
      for (const proof of this.account.proofs) await this.outbox?.narrow(proof);
    });
  }

  /** Everything on this device goes, now: key, grant, journal, outbox. */
  async #purge(): Promise<void> {
    const vault = this.#vault;
    this.#end("withdrawn");
    this.say("withdrawn");
    await vault?.destroy().catch(() => undefined);
  }

  #end(reason: Reason): void {
    for (const timer of this.#timers) window.clearInterval(timer);
    this.#timers = [];
    this.#capture?.stop();
    this.#indicator?.remove();
    this.#releaseSession();
    this.#capture = this.#indicator = this.session = null;
    this.outbox = this.sender = null;
    if (reason === "withdrawn") this.#vault = this.account.vault = null;
    this.account.grant = null;
    this.#off = reason === "withdrawn" ? "withdrawn" : "";
    this.#phase = "none";
    this.tell();
  }

  #turnOff(reason: Reason): void {
    if (this.#off === reason) return;
    this.#off = reason;
    this.#capture?.stop();
    if (reason === "storage" || reason === "unsupported")
      console.warn(`Overt is off (${reason}): nothing is recorded. The page is not affected.`);
    this.#update();
  }

  #update(): void {
    const grant = this.account.grant;
    const reason: Reason = this.#personPaused ? "person" : this.#seen ? "" : "indicator";
    const phase: Phase = this.#off ? "off" : !grant ? "none" : reason ? "paused" : "recording";
    const before = this.#phase;
    this.#phase = phase;
    if (phase === "recording" && before !== "recording") {
      if (this.session) this.#mark(Kind.RESUME, {});
      else this.#beginSession();
      this.#capture?.start();
    } else if (phase !== "recording") {
      this.#capture?.stop();
      if (before === "recording" && this.session)
        this.#mark(Kind.PAUSE, { value: reason === "person" ? 1 : reason ? 2 : 3 });
    }
    this.#indicator?.show(phase === "none" ? "off" : phase);
    this.tell();
  }

  #beginSession(): void {
    const grant = this.account.grant;
    if (!grant || !this.outbox || !this.#secrets) return;
    const gate = new Gate(grant.fields, this.#secrets);
    this.#capture = new Capture(gate, this, grant.level === "keys");
    const id = crypto.randomUUID().replaceAll("-", "");
    this.#releaseSession = hold(this.#lockOf(id));
    const recording = {
      session: id,
      study: this.#study,
      receipt: grant.receipt_id,
      purposes: grant.purposes,
      level: grant.level,
      transform: grant.transform,
      time_origin_ms: Math.round(performance.timeOrigin),
      clock_resolution_us: this.#resolution_us,
      outbox_delay_s: grant.outbox_delay_s,
    };
    this.session = new Session(recording, this.outbox);
    this.#mark(Kind.SESSION_START, {});
  }

  async #endSession(): Promise<void> {
    const session = this.session;
    const recording = this.#phase === "recording";
    this.session = null;
    this.#phase = "none";
    this.#capture?.stop();
    await session?.finish(recording ? now_us() : session.last_us);
    this.#releaseSession();
  }

  /** The page goes away: mark the end, seal what is new, send what is due. */
  #hide(): void {
    const session = this.session;
    if (!session) return;
    const recording = this.#phase === "recording";
    this.session = null;
    this.#phase = "none";
    this.#capture?.stop();
    const sealed = session.leave(recording ? now_us() : session.last_us).catch(() => undefined);
    void sealed.then(this.#releaseSession);
    this.sender?.closing(session.kept.values());
  }

  #flush(): void {
    const delay_ms = (this.account.grant?.outbox_delay_s ?? 0) * 1000;
    const age_ms = Math.min(CLOSE_MS_MAX, Math.max(BEAT_MS, delay_ms / 6));
    const session = this.session;
    const before = session?.kept.size;
    session?.flush(age_ms).then(
      () => before !== session.kept.size && this.tell(),
      () => this.session === session && this.#turnOff("storage"),
    );
  }

  async #beat(): Promise<void> {
    const { grant } = this.account;
    if (!grant) return;
    this.#beats += 1;
    const own = this.session?.recording.session ?? "";
    const broken = () => this.account.grant === grant && this.#turnOff("storage");
    if (this.#beats % RECOVER_BEATS === 1)
      await this.sender?.recover(own, this.#lockOf, grant.hold_days).catch(broken);
    void this.send(false).catch(broken);
    if (document.visibilityState === "visible" && !this.#asking) await this.#ask(grant);
  }

  /** Ask how the person stands; another device may have withdrawn. */
  async #ask(grant: Grant): Promise<void> {
    this.#asking = true;
    const standing = await this.account.standing().catch((): Standing => ({}));
    this.#asking = false;
    if (this.account.grant?.receipt_id !== grant.receipt_id) return;
    const { withdrawn = false, purposes = grant.purposes } = standing;
    await this.#leave((id) => !withdrawn && purposes.includes(id), grant.receipt_id);
  }

  /** Go on with those purposes of a receipt that are left; with none, stop and purge. */
  async #leave(isLeft: (purpose: string) => boolean, receipt: string): Promise<void> {
    const grant = this.account.grant;
    const proof = this.account.proofs.find(({ receipt_id }) => receipt_id === receipt);
    const left = proof?.purposes.filter(isLeft) ?? [];
    if (proof === grant && left.length === 0) await this.#purge();
    else if (left.length < (proof?.purposes.length ?? 0)) await this.#narrow(isLeft, receipt);
  }

  async send(force: boolean): Promise<void> {
    const hold_days = this.account.grant?.hold_days ?? 0;
    const gone = await this.sender?.pass(force, hold_days, (entry) => {
      this.session?.kept.delete(entryId(entry));
      this.tell();
    });
    if (gone) await this.#leave((id) => !gone.purposes.includes(id), gone.receipt);
  }

  async #heard(said: Said, ...removed: string[]): Promise<void> {
    if (said === "withdrawn") this.#end("withdrawn");
    else if (said === "granted") await this.#reread();
    else if (said === "paused" || said === "resumed") {
      this.#personPaused = said === "paused";
      this.#update();
    } else {
      for (const id of removed) this.session?.kept.delete(id);
      this.tell();
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
      this.#personPaused = (await this.#vault?.get("grant", "paused")) != null;
      return this.#update();
    }
    if (grant) await this.#endSession();
    this.#end("");
    await this.#load();
    await this.#fit();
  }

  say(said: Said, ...removed: string[]): void {
    this.#channel?.postMessage([said, ...removed]);
  }

  tell(): void {
    this.listeners.tell(() => this.state());
  }

  wants(kind: number): boolean {
    return this.session?.wants(kind) ?? false;
  }

  isOpen(): boolean {
    return this.#phase === "recording" && this.#indicator?.isConnected === true;
  }

  add(kind: number, t_us: number, facts: Facts, source: Event | null): void {
    const { session } = this;
    const kept = session?.recording.transform === COARSE ? coarse(kind, t_us, facts) : [t_us, facts];
    const added = kept && session?.add(kind, ...(kept as [number, Facts]));
    if (added) this.watchers.tell(() => ({ ...added, text: describe(added.event), source }));
  }

  untrusted(): void {
    this.ignored += 1;
  }

  #mark(kind: number, facts: Facts): void {
    this.add(kind, now_us(), facts, null);
  }

  state(): State {
    const grant = this.account.grant;
    const paused: Reason = this.#personPaused ? "person" : "indicator";
    return {
      phase: this.#phase,
      reason: this.#phase === "paused" ? paused : this.#off,
      study: this.#study,
      receiptId: grant?.receipt_id ?? "",
      purposes: grant?.purposes ?? [],
      level: grant?.level ?? "",
      transform: grant?.transform ?? "",
      session: this.session?.recording.session ?? "",
    };
  }

  async pause(): Promise<void> {
    this.#personPaused = true;
    this.#update();
    this.say("paused");
    await this.#vault?.change([{ store: "grant", at: "paused", json: true }]);
  }

  async resume(): Promise<void> {
    this.#personPaused = false;
    this.#indicator?.attach();
    this.#seen = this.#indicator?.isVisible() ?? false;
    this.#update();
    this.say("resumed");
    await this.#vault?.change([{ store: "grant", at: "paused" }]);
  }

  task(number: number): void {
    if (this.isOpen()) this.#mark(Kind.TASK, { value: number & 0x7fff });
  }
}
