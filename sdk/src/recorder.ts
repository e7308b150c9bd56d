import type { Grant } from "./account.ts";
import { Capture, type Sink } from "./capture.ts";
import { ahead_ms, clockResolution_us, now_us } from "./clock.ts";
import { type Facts, fromRow } from "./event.ts";
import { Gate } from "./gate.ts";
import { Kind } from "./generated.ts";
import type { Phase } from "./index.ts";
import { Indicator } from "./indicator.ts";
import type { Membership } from "./membership.ts";
import { allows, follows } from "./paths.ts";
import { Rounds } from "./rounds.ts";
import { type Made, Session, type Take, hold } from "./session.ts";
import type { Vault } from "./vault.ts";

/** So many events are journalled at once, that they fit beside a session that ends. */
const JOURNAL_ROWS = 200;
/** A page that lies in the background is not painted. */
const PAINT_MS_MAX = 100;
const CLOSE_MS_MIN = 1000;
/** Each batch is one request, and the larger it is, the fewer bytes an event. */
const CLOSE_MS_MAX = 20_000;

/** Until the page has been laid out and painted: to look at it earlier would do that twice. */
const painted = (): Promise<void> =>
  new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, PAINT_MS_MAX);
  });

/** What is recorded in this page: the indicator that says so, the session, and its way out. */
export class Recorder implements Sink {
  session: Session | null = null;
  phase: Phase = "none";
  rounds: Rounds | null = null;
  #ignored = 0;
  #member: Membership;
  #indicator: Indicator | null = null;
  #capture: Capture | null = null;
  #seen = false;
  /** The page's path when it was last looked at. */
  #path = "";
  /** Whether the browser tells when that changes. */
  #isTold: boolean;
  /** Whether the sign tells when it is in the page no more. */
  #isSure = false;
  #resolution_us = clockResolution_us();
  #ahead_ms = 0;
  /** Events of the session that the journal has, or is about to have. */
  #journalled = 0;
  #releaseSession: () => void = () => {};

  constructor(member: Membership) {
    this.#member = member;
    this.#isTold = follows(() => this.#indicator && this.#follow());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.rounds?.hush();
      void this.flush();
    });
  }

  lockOf = (session: string): string => `${this.#member.name}-session-${session}`;

  /**
   * Show the indicator and, once it was seen, record. What is new is journalled at each look at the
   * indicator: a page that dies loses what came since, less than a second.
   */
  async start(grant: Grant, vault: Vault): Promise<void> {
    if (this.#indicator) return;
    const member = this.#member;
    const rounds = (this.rounds = new Rounds(member, this, vault));
    member.off = "";
    const checked = (visible: boolean) => {
      if (visible === this.#seen) return;
      this.#seen = visible;
      this.update();
    };
    const toggled = () => void (member.held ? member.resume() : member.pause());
    let isNew = true;
    const indicator = new Indicator(grant.words, toggled, checked, () => {
      this.#follow();
      void this.flush();
      rounds.looked();
      if (isNew) void this.#compareNotice(grant);
      isNew = false;
    });
    this.#indicator = indicator;
    this.#isSure = indicator.tells(() => this.session?.settle());
    indicator.show("off");
    indicator.attach();
    await painted();
    if (this.#indicator === indicator) this.look();
  }

  /** A changed notice needs fresh consent. */
  async #compareNotice(grant: Grant): Promise<void> {
    const shown = await this.#member.account.notice(grant.lang).catch(() => null);
    if (shown && shown.sha256 !== grant.notice_sha256) this.#member.turnOff("notice");
  }

  /** Put the indicator back if it is gone, and see what follows. */
  look(): void {
    const indicator = this.#indicator;
    if (!indicator?.isVisible()) indicator?.attach();
    this.#seen = indicator?.isVisible() ?? false;
    this.update();
  }

  /** Nothing here records any more; the indicator goes. */
  stop(): void {
    this.#capture?.stop();
    this.#indicator?.remove();
    this.#releaseSession();
    this.rounds?.hush();
    this.#ignored = this.ignored;
    this.#capture = this.#indicator = this.session = this.rounds = null;
    this.phase = "none";
  }

  /** Nothing more is listened to, whatever comes next. `ended`: for good. */
  silence(ended: boolean): void {
    this.session?.settle();
    this.#capture?.stop();
    if (ended) this.phase = "off";
  }

  update(): void {
    this.session?.settle();
    const { off, held, account } = this.#member;
    const { grant } = account;
    this.#path = location.pathname;
    const phase: Phase = off
      ? "off"
      : !grant
        ? "none"
        : held
          ? "paused"
          : // The study's own pages; on others no event exists.
            !allows(grant.paths ?? [], this.#path)
            ? "off"
            : this.#seen
              ? "recording"
              : "paused";
    const before = this.phase;
    this.phase = phase;
    if (phase === "recording" && before !== phase) {
      if (this.session) this.#mark(Kind.RESUME);
      else this.#beginSession();
      this.#capture?.start();
    } else if (phase !== "recording") {
      this.#capture?.stop();
      if (before === "recording" && this.session)
        this.#mark(Kind.PAUSE, { value: phase === "paused" ? (held ? 1 : 2) : 3 });
    }
    this.#indicator?.show(phase === "none" ? "off" : phase);
    this.#member.tell();
  }

  #beginSession(): void {
    const { account, secrets, study } = this.#member;
    const { grant } = account;
    const { rounds } = this;
    if (!grant || !rounds || !secrets) return;
    const gate = new Gate(grant.fields, secrets);
    this.#capture = new Capture(gate, this, grant.level === "keys", grant.paths ?? []);
    const session = crypto.randomUUID().replaceAll("-", "");
    this.#releaseSession = hold(this.lockOf(session));
    const recording = {
      session,
      study,
      receipt: grant.receipt_id,
      purposes: grant.purposes,
      level: grant.level,
      transform: grant.transform,
      time_origin_ms: Math.round((this.#ahead_ms = ahead_ms())),
      clock_resolution_us: this.#resolution_us,
      outbox_delay_s: grant.outbox_delay_s,
    };
    this.session = new Session(recording, rounds.outbox, this.#made, () => this.#isSigned);
    this.#journalled = 0;
    this.#mark(Kind.SESSION_START);
  }

  /** Take the session out of use; returns it, and when it ended. */
  #taken(): [Session, number] | null {
    const { session } = this;
    if (!session) return null;
    session.settle();
    const end_us = this.phase === "recording" ? now_us() : session.last_us;
    this.#ignored = this.ignored;
    this.session = null;
    this.phase = "none";
    this.#capture?.stop();
    return [session, end_us];
  }

  async endSession(): Promise<void> {
    const taken = this.#taken();
    if (taken) await taken[0].finish(taken[1]);
    this.#releaseSession();
  }

  /** The page goes away: mark the end, seal what is new, and send what it may. */
  leave(): void {
    this.rounds?.hush();
    const taken = this.#taken();
    if (!taken) return;
    const sealed = taken[0].leave(taken[1]).catch(() => undefined);
    void sealed.then(this.#releaseSession);
    this.rounds?.sender.closing(taken[0].kept.values());
  }

  get #age_ms(): number {
    const delay_ms = (this.#member.account.grant?.outbox_delay_s ?? 0) * 1000;
    return Math.min(CLOSE_MS_MAX, Math.max(CLOSE_MS_MIN, delay_ms / 3));
  }

  /** Journal what is new, and close what is old enough. */
  async flush(age_ms = this.#age_ms): Promise<void> {
    const { session } = this;
    const before = session?.kept.size;
    try {
      this.#compareClocks();
      const written = session?.flush(age_ms);
      this.#journalled = session?.produced ?? 0;
      await written;
      if (before !== session?.kept.size) this.#member.tell();
    } catch {
      if (this.session === session) this.#member.turnOff("storage");
    }
  }

  /** The wall clock went ahead of the other, or back: the device slept, or somebody set it. */
  #compareClocks(): void {
    const before_ms = this.#ahead_ms;
    this.#ahead_ms = ahead_ms();
    const jump_s = Math.round((this.#ahead_ms - before_ms) / 1000);
    if (jump_s && this.isOpen())
      this.#mark(Kind.CLOCK, { value: Math.max(0, Math.min(jump_s, 0x7fff)) });
  }

  /** What the outbox does not have any more, a closing page does not send either. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.session?.kept.delete(id);
    this.#member.tell();
  }

  /** Single-page sites go elsewhere without loading; where the study lists pages, that matters. */
  #follow(): void {
    const { grant } = this.#member.account;
    if (grant?.paths?.length && location.pathname !== this.#path) this.update();
  }

  wants(kind: number): boolean {
    return this.session?.wants(kind) ?? false;
  }

  isOpen(): boolean {
    if (!this.#isTold) this.#follow();
    return this.#isSigned;
  }

  /** It records, and the sign was seen: asked of both, since a page may keep one from following the other. */
  get #isSigned(): boolean {
    return this.phase === "recording" && this.#seen && this.#indicator?.isConnected === true;
  }

  add(kind: number, t_us: number, facts: Facts, source: Event | null): void {
    this.session?.add(kind, t_us, facts, source);
  }

  later(event: Event, take: Take): void {
    this.session?.later(event, take);
  }

  get queue(): Session | null {
    return this.#isTold && this.#isSure ? this.session : null;
  }

  #made: Made = (row, purposes, source) => {
    if ((this.session?.produced ?? 0) - this.#journalled >= JOURNAL_ROWS) void this.flush();
    const { watchers } = this.#member;
    watchers.tell(() => ({ event: fromRow(row), purposes, source }));
    return !watchers.isEmpty;
  };

  /** Events of this page that a script made. */
  get ignored(): number {
    return this.#ignored + (this.session?.untrusted ?? 0);
  }

  untrusted(): void {
    this.#ignored += 1;
  }

  #mark(kind: number, facts: Facts = {}): void {
    this.add(kind, now_us(), facts, null);
  }

  task(number: number): void {
    if (this.isOpen()) this.#mark(Kind.TASK, { value: number & 0x7fff });
  }
}
