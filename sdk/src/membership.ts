import { Account, type Grant } from "./account.ts";
import { Audience } from "./audience.ts";
import { OvertError } from "./errors.ts";
import type { Options, Reason, Receipt, ShownNotice, State, Watched } from "./index.ts";
import type { Recorder } from "./recorder.ts";
import { more, record } from "./second.ts";
import { Secrets } from "./secrets.ts";
import { LEFT, Vault, isSupported } from "./vault.ts";

const FAREWELL_MS = 10_000;

/** What tabs of one study tell each other. */
type Said = "withdrawn" | "granted" | "paused" | "resumed" | "changed";

/**
 * One person in one study on this device: joining, pausing and leaving, over all tabs. Who has joined
 * gets the recorder, from a file of its own; until it is there nothing can be recorded.
 */
export class Membership {
  readonly account: Account;
  readonly watchers = new Audience<Watched>();
  readonly listeners = new Audience<State>();
  readonly name: string;
  readonly study: string;
  readonly more = more;
  recorder: Recorder | null = null;
  secrets: Secrets | null = null;
  /** The person has paused it. */
  held = false;
  off: Reason = "";
  lang: string;
  #channel: BroadcastChannel | null = null;
  /** Tells the server of a withdrawal that it has not heard of. */
  farewell: (() => Promise<unknown>) | null = null;
  shown: ShownNotice | null = null;

  constructor({ study, base = "", lang = "en" }: Options) {
    this.study = study;
    this.name = `overt-${study}`;
    this.lang = lang;
    this.account = new Account(base, study);
  }

  async begin(): Promise<void> {
    if (!isSupported()) {
      this.turnOff("unsupported");
      return;
    }
    // From here on it is remembered which fields were secret, whenever somebody joins.
    this.secrets = new Secrets();
    this.#channel = new BroadcastChannel(this.name);
    this.#channel.onmessage = ({ data }) => void this.#heard(...(data as [Said, ...string[]]));
    window.addEventListener("pagehide", () => this.recorder?.leave());
    window.addEventListener("pageshow", (event) => void (event.persisted && this.#reread()));
    await this.#load();
  }

  /** The recorder, which is loaded when it is first asked for. */
  async ready(): Promise<Recorder> {
    const { Recorder } = await record();
    return (this.recorder ??= new Recorder(this));
  }

  /** Go on with what an earlier visit, or another tab, has left here. */
  async #load(): Promise<void> {
    const { account } = this;
    try {
      const vault = await this.opened(false);
      if (!vault) return;
      const [kept, left, paused] = await vault.some<Grant>("grant", ["grant", LEFT, "paused"]);
      if (!kept) return void (left && this.#part(vault, left.json).catch(() => undefined));
      this.hold(vault);
      account.grant = kept.json;
      this.held = !!paused;
      await this.start(await this.ready());
    } catch (error) {
      this.turnOff(error instanceof OvertError ? "file" : "storage");
    }
  }

  /** Record, unless the person has left while the file came. */
  async start(recorder: Recorder): Promise<void> {
    const { grant, vault } = this.account;
    if (grant && vault) await recorder.start(grant, vault);
  }

  /** What is kept here; `create`: also where nothing is yet. */
  async opened(create: boolean): Promise<Vault | null> {
    return this.account.vault ?? Vault.open(this.name, create);
  }

  hold(vault: Vault): void {
    this.account.vault = vault;
    vault.onGone = () => this.reset("withdrawn");
  }

  /** The recorder of who has joined; what could not be loaded is loaded again. */
  async started(): Promise<Recorder | null> {
    if (this.off === "file") await this.start(await this.ready());
    return this.recorder;
  }

  async notice(lang = this.lang): Promise<ShownNotice> {
    this.lang = lang;
    this.shown = await this.account.notice(lang);
    return this.shown;
  }

  async join(purposes: string[], detail?: string): Promise<Receipt> {
    // Nobody joins what cannot record.
    const [{ join }] = await Promise.all([more(), this.ready()]);
    return join(this, purposes, detail, OvertError);
  }

  async withdraw(purposes?: string[]): Promise<{ job: string }> {
    const { account, recorder } = this;
    const { grant, vault } = account;
    const isLeft = (id: string) => purposes !== undefined && !purposes.includes(id);
    const left = grant?.purposes.filter(isLeft) ?? [];
    // Stop first: whatever the server says, nothing is recorded from here on.
    recorder?.silence(left.length === 0);
    if (left.length === 0 && grant && vault) {
      await vault.empty(["key"], grant).catch(() => undefined);
      this.reset("withdrawn");
      this.say("withdrawn");
      return this.#part(vault, grant);
    }
    try {
      const job = await account.withdraw(purposes);
      await (await this.started())?.rounds?.narrow(isLeft);
      return job;
    } catch (error) {
      if (error instanceof OvertError && error.status === 410) await this.purge();
      else {
        await recorder?.endSession();
        await recorder?.rounds?.fit(isLeft);
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
    this.farewell = null;
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
      const again = (this.farewell = () => this.#part(vault, grant));
      const retry = () => this.farewell === again && again().catch(() => undefined);
      window.setTimeout(retry, FAREWELL_MS);
      throw new OvertError("has not heard of it yet", "server", "It is told once it can be reached");
    }
  }

  /** Everything on this device goes, now: key, grant, journal, outbox. */
  async purge(): Promise<void> {
    const { vault } = this.account;
    this.reset("withdrawn");
    this.say("withdrawn");
    await vault?.destroy().catch(() => undefined);
  }

  reset(reason: "" | "withdrawn"): void {
    this.account.grant = null;
    if (reason) this.account.vault = null;
    this.recorder?.stop();
    this.off = reason;
    this.tell();
  }

  /** It cannot record: say so once; the page goes on. */
  turnOff(reason: Reason): void {
    if (this.off === reason) return;
    this.off = reason;
    if (reason !== "notice")
      console.warn(`Overt is off (${reason}): nothing is recorded. The page is not affected.`);
    this.#update();
  }

  #update(): void {
    if (this.recorder) this.recorder.update();
    else this.tell();
  }

  async #heard(said: Said, ...removed: string[]): Promise<void> {
    if (said === "withdrawn") {
      const { vault } = this.account;
      this.reset("withdrawn");
      // What this tab was about to write when the other emptied all.
      await vault?.empty(["key", "grant"]).catch(() => undefined);
    } else if (said === "granted") await this.#reread();
    else if (said === "changed") this.recorder?.forget(removed);
    else {
      this.held = said === "paused";
      this.#update();
    }
  }

  /** Another tab, or another page while this one lay still, may have changed what holds. */
  async #reread(): Promise<void> {
    const { account, recorder } = this;
    const { grant, vault } = account;
    const kept = await vault?.get<Grant>("grant", "grant").catch(() => null);
    if (grant && !kept) return this.reset("withdrawn");
    const same = (one: Grant) => `${one.receipt_id} ${one.purposes.join(" ")}`;
    if (grant && kept && same(kept.json) === same(grant)) {
      account.grant = kept.json;
      this.held = (await vault?.get("grant", "paused")) != null;
      return this.#update();
    }
    if (grant) await recorder?.endSession();
    this.reset("");
    await this.#load();
    await this.recorder?.rounds?.fit();
  }

  say(said: Said, ...removed: string[]): void {
    this.#channel?.postMessage([said, ...removed]);
  }

  async pause(): Promise<void> {
    this.held = true;
    this.#update();
    this.say("paused");
    await this.account.vault?.change([{ store: "grant", at: "paused", json: true }]);
  }

  async resume(): Promise<void> {
    const recorder = await this.started();
    this.held = false;
    recorder?.look();
    this.say("resumed");
    await this.account.vault?.change([{ store: "grant", at: "paused" }]);
  }

  /** Be told of each event, from the next one on. */
  watch(callback: (watched: Watched) => void): () => void {
    const { session } = this.recorder ?? {};
    if (session) session.enough = 0;
    return this.watchers.join(callback);
  }

  /** Tell the page that something has changed. */
  tell(): void {
    this.listeners.tell(() => this.state());
  }

  state(): State {
    const { off, held, study, recorder } = this;
    const { grant } = this.account;
    const phase = recorder?.phase ?? (off && off !== "withdrawn" ? "off" : "none");
    return {
      phase,
      reason: phase === "paused" ? (held ? "person" : "indicator") : off || (phase === "off" ? "page" : ""),
      study,
      receiptId: grant?.receipt_id ?? "",
      former: grant?.former.map(({ receipt_id }) => receipt_id) ?? [],
      purposes: grant?.purposes ?? [],
      level: grant?.level ?? "",
      transform: grant?.transform ?? "",
      session: recorder?.session?.recording.session ?? "",
    };
  }
}
