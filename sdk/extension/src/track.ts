import { Capture, type Sink } from "../../src/capture.ts";
import { ahead_ms, clockResolution_us, now_us } from "../../src/clock.ts";
import type { Facts } from "../../src/event.ts";
import { Gate } from "../../src/gate.ts";
import { Kind } from "../../src/generated.ts";
import type { Secrets } from "../../src/secrets.ts";
import { Session, type Take } from "../../src/session.ts";
import type { Permit, Shown } from "./protocol.ts";
import type { Relay } from "./relay.ts";
import { setWrongBy_ms, told } from "./server_clock.ts";
import { covers } from "./sites.ts";

const CLOSE_MS_MAX = 10_000;

/** The document that a study records in. */
export interface Around {
  /** Whether the sign can be seen. */
  isSeen(at: string): boolean;
  /** Whether the sign is there: asked before every event. */
  isSigned(at: string): boolean;
  /** So much waits for the worker that nothing more is taken. */
  readonly isFull: boolean;
  /** Whether the browser tells when the page's path changes; then nobody has to ask. */
  readonly isTold: boolean;
  /** See where it is now, and what follows for every study. */
  look(): void;
}

/** What one study records of one page: its own gate, session and state beside those of others. */
export class Track implements Sink {
  /** Of the sign in a page a content script hears only when it asks. */
  readonly queue = null;
  permit: Permit;
  shown: Shown = "none";
  /** Whether the study covers the page's path. */
  covered = false;
  #page: Around;
  #relay: Relay;
  #secrets: Secrets;
  #capture: Capture | null = null;
  #session: Session | null = null;
  /** The path when it was last looked at. */
  #path = "";
  #resolution_us = 0;
  /** How far the wall clock was ahead of the monotonic one. */
  #ahead_ms = 0;
  /** Time origin of the session, ms since 1970: on the server's clock if it was known. */
  #origin_ms = 0;

  constructor(permit: Permit, page: Around, secrets: Secrets, relay: Relay) {
    this.permit = permit;
    this.#page = page;
    this.#secrets = secrets;
    this.#relay = relay;
  }

  /** Id of its session; empty while there is none. */
  get session(): string {
    return this.#session?.recording.session ?? "";
  }

  /** See whether the study covers where the page is; single-page sites change that without loading. */
  look(): void {
    this.#path = location.pathname;
    const { origin, paths } = this.permit.site;
    this.covered = origin === location.origin && covers(paths, this.#path);
  }

  #state(): Shown {
    if (this.permit.paused) return "paused";
    const { covered, isSeen } = this;
    return covered && isSeen && !this.#page.isFull ? "recording" : "blocked";
  }

  private get isSeen(): boolean {
    return this.#page.isSeen(this.permit.at);
  }

  /** Record, or stop, as things stand. */
  update(): void {
    const before = this.shown;
    const now = (this.shown = this.#state());
    if (now === before) return;
    if (now === "recording") {
      if (this.#session) this.#mark(Kind.RESUME, {});
      else this.#begin();
      this.#capture?.start();
    } else {
      this.#capture?.stop();
      const value = now === "paused" ? 1 : this.covered && !this.isSeen ? 2 : 3;
      if (before === "recording") this.#mark(Kind.PAUSE, { value });
    }
  }

  #begin(): void {
    const { permit } = this;
    const gate = new Gate(permit.site.fields, this.#secrets);
    this.#capture = new Capture(gate, this, permit.level === "keys", permit.paths);
    this.#resolution_us ||= clockResolution_us();
    this.#ahead_ms = ahead_ms();
    const server_ms = setWrongBy_ms(permit.server);
    const recording = {
      session: crypto.randomUUID().replaceAll("-", ""),
      study: permit.study,
      receipt: permit.receipt,
      purposes: permit.purposes,
      level: permit.level,
      transform: permit.transform,
      time_origin_ms: (this.#origin_ms = Math.round(this.#ahead_ms + server_ms)),
      clock_resolution_us: this.#resolution_us,
      outbox_delay_s: permit.outbox_delay_s,
    };
    this.#session = new Session(recording, this.#relay.desk(permit.at));
    this.#mark(Kind.SESSION_START, {});
  }

  /** Write what is new, and have closed what is old enough. */
  tick(): void {
    const jump_s = Math.round((ahead_ms() - this.#ahead_ms) / 1000);
    this.#ahead_ms = ahead_ms();
    // The wall clock went ahead of the other, or back: the device slept, or somebody set it.
    if (jump_s && this.shown === "recording")
      this.#mark(Kind.CLOCK, { value: Math.max(0, Math.min(jump_s, 0x7fff)) });
    const age_ms = Math.min(CLOSE_MS_MAX, Math.max(1000, (this.permit.outbox_delay_s * 1000) / 6));
    void this.#session?.flush(age_ms).catch(() => undefined);
  }

  /** Hand over everything. */
  async flush(): Promise<void> {
    await this.#session?.flush(0);
  }

  #taken(): Session | null {
    const session = this.#session;
    this.#capture?.stop();
    this.#session = this.#capture = null;
    return session;
  }

  /** Its session takes nothing more; `ends` properly, or what was recorded is not wanted any more. */
  drop(ends: boolean): void {
    const session = this.#taken();
    if (session && ends) void session.finish(session.last_us).catch(() => undefined);
    else this.#relay.drop(this.permit.at);
  }

  /** The page is closed or put aside. */
  leave(): void {
    const session = this.#taken();
    const end_us = this.shown === "recording" ? now_us() : (session?.last_us ?? 0);
    this.shown = "none";
    void session?.leave(end_us).catch(() => undefined);
  }

  #mark(kind: number, facts: Facts): void {
    this.add(kind, now_us(), { ...facts, ...told(this.permit.server, this.#origin_ms) });
  }

  wants(kind: number): boolean {
    return this.#session?.wants(kind) ?? false;
  }

  /** Asked for every event before it is looked at: the path may have changed since the last. */
  isOpen(): boolean {
    if (!this.#page.isTold && location.pathname !== this.#path) this.#page.look();
    return this.shown === "recording" && this.#page.isSigned(this.permit.at);
  }

  add(kind: number, t_us: number, facts: Facts): void {
    this.#session?.add(kind, t_us, facts);
  }

  later(event: Event, take: Take): void {
    this.#session?.later(event, take);
  }

  untrusted(): void {}
}
