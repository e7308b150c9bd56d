import { Capture, type Sink } from "../../src/capture.ts";
import { ahead_ms, clockResolution_us, now_us } from "../../src/clock.ts";
import { COARSE, coarse } from "../../src/coarse.ts";
import type { Facts } from "../../src/event.ts";
import { Gate, Secrets } from "../../src/gate.ts";
import { Kind } from "../../src/generated.ts";
import { Indicator } from "../../src/indicator.ts";
import { Session } from "../../src/session.ts";
import type { Call, Shown, Standing } from "./protocol.ts";
import { type Hearer, Relay } from "./relay.ts";
import { covers } from "./sites.ts";

const JOURNAL_MS = 250;
const CLOSE_MS_MAX = 10_000;
/** Events that may wait in a page for a worker that does not answer; beyond, recording stops. */
const UNWRITTEN_MAX = 20_000;

/**
 * One page of a site that the person switched on. It is in the page's document but not of it: its
 * variables are out of the page's reach, and it keeps nothing in the page's storage.
 */
class Page implements Sink, Hearer {
  #relay = new Relay(this);
  #secrets = new Secrets();
  #standing: Standing = { permit: null, paused: false };
  #indicator: Indicator | null = null;
  #capture: Capture | null = null;
  #session: Session | null = null;
  #seen = false;
  #shown: Shown = "none";
  /** The path when it was last looked at, and whether the study covers it. */
  #path = "";
  #covered = false;
  #resolution_us = 0;
  /** How far the wall clock was ahead of the monotonic one. */
  #ahead_ms = 0;
  /** The page was closed or put aside; it may come back. */
  #left = false;
  #timer = 0;

  start(): void {
    window.addEventListener("pagehide", () => this.#hide());
    window.addEventListener("pageshow", () => {
      this.#left = false;
      this.#relay.connect();
    });
    document.addEventListener("visibilitychange", () => {
      this.#tick();
      if (document.visibilityState === "visible") this.#relay.connect();
    });
    chrome.runtime.onMessage.addListener((message, _sender, answer) => {
      const { call } = message as Call;
      if (call === "session") answer(this.#session?.recording.session ?? "");
      else this.#relay.connect();
    });
    this.#relay.connect();
  }

  stands(standing: Standing): void {
    const same = (one: Standing) => `${one.permit?.receipt} ${one.permit?.purposes.join(" ")}`;
    const other = same(standing) !== same(this.#standing);
    this.#standing = standing;
    if (other) {
      this.#dropSession();
      this.#path = "";
    }
    if (!standing.permit) {
      this.#relay.drop();
      window.clearInterval(this.#timer);
      this.#timer = 0;
    } else this.#timer ||= window.setInterval(() => this.#tick(), JOURNAL_MS);
    this.#look();
    if (this.#indicator?.isConnected === false) this.#indicator.attach();
    this.#update();
    this.#relay.post({ shows: this.#shown });
  }

  flush(): void {
    const done = () => this.#relay.post({ flushed: true });
    void (this.#session?.flush(0) ?? Promise.resolve()).then(done, done);
  }

  orphaned(): void {
    this.#standing = { permit: null, paused: false };
    this.#dropSession();
    window.clearInterval(this.#timer);
    this.#look();
    this.#update();
  }

  /** What was recorded under a receipt that holds no longer: its session takes nothing more. */
  #dropSession(): void {
    this.#capture?.stop();
    const session = this.#session;
    this.#session = this.#capture = null;
    this.#shown = "none";
    if (session && this.#standing.permit) void session.finish(session.last_us).catch(() => undefined);
  }

  /** See where the page is; single-page sites change that without loading. */
  #look(): void {
    const { permit } = this.#standing;
    const here = permit?.site.origin === location.origin ? permit.site : null;
    if (location.pathname !== this.#path || !here) {
      this.#path = location.pathname;
      this.#covered = here !== null && covers(here.paths, this.#path);
    }
    if (this.#covered && permit && document.body && !this.#indicator) {
      this.#indicator = new Indicator(
        permit.words,
        () => this.#relay.post({ pressed: this.#standing.paused ? "resume" : "pause" }),
        (visible) => {
          this.#seen = visible;
          this.#update();
        },
      );
      this.#indicator.attach();
      this.#indicator.show("off");
      this.#seen = this.#indicator.isVisible();
    } else if (!this.#covered && this.#indicator) {
      this.#indicator.remove();
      this.#indicator = null;
    }
  }

  #state(): Shown {
    const { permit, paused } = this.#standing;
    if (!permit || this.#left) return "none";
    if (paused) return "paused";
    const full = this.#relay.unwritten > UNWRITTEN_MAX;
    return this.#covered && this.#seen && !full ? "recording" : "blocked";
  }

  #update(): void {
    const before = this.#shown;
    const now = (this.#shown = this.#state());
    this.#indicator?.show(now === "recording" || now === "paused" ? now : "off");
    if (now === before) return;
    if (now === "recording") {
      if (this.#session) this.#mark(Kind.RESUME, {});
      else this.#begin();
      this.#capture?.start();
    } else {
      this.#capture?.stop();
      const value = now === "paused" ? 1 : this.#covered && !this.#seen ? 2 : 3;
      if (before === "recording") this.#mark(Kind.PAUSE, { value });
    }
    this.#relay.connect();
    this.#relay.post({ shows: now });
  }

  #begin(): void {
    const { permit } = this.#standing;
    if (!permit) return;
    const gate = new Gate(permit.site.fields, this.#secrets);
    this.#capture = new Capture(gate, this, permit.level === "keys", permit.paths);
    this.#resolution_us ||= clockResolution_us();
    const recording = {
      session: crypto.randomUUID().replaceAll("-", ""),
      study: permit.study,
      receipt: permit.receipt,
      purposes: permit.purposes,
      level: permit.level,
      transform: permit.transform,
      time_origin_ms: Math.round((this.#ahead_ms = ahead_ms())),
      clock_resolution_us: this.#resolution_us,
      outbox_delay_s: permit.outbox_delay_s,
    };
    this.#session = new Session(recording, this.#relay);
    this.#mark(Kind.SESSION_START, {});
  }

  #tick(): void {
    this.#look();
    this.#update();
    this.#compareClocks();
    const delay_ms = (this.#standing.permit?.outbox_delay_s ?? 0) * 1000;
    const age_ms = Math.min(CLOSE_MS_MAX, Math.max(1000, delay_ms / 6));
    void this.#session?.flush(age_ms).catch(() => undefined);
  }

  /** The wall clock went ahead of the other, or back: the device slept, or somebody set it. */
  #compareClocks(): void {
    const jump_s = Math.round((ahead_ms() - this.#ahead_ms) / 1000);
    this.#ahead_ms = ahead_ms();
    if (jump_s && this.#shown === "recording")
      this.#mark(Kind.CLOCK, { value: Math.max(0, Math.min(jump_s, 0x7fff)) });
  }

  #hide(): void {
    const session = this.#session;
    const end_us = this.#shown === "recording" ? now_us() : (session?.last_us ?? 0);
    this.#capture?.stop();
    this.#session = this.#capture = null;
    this.#shown = "none";
    this.#left = true;
    void session?.leave(end_us).catch(() => undefined);
  }

  #mark(kind: number, facts: Facts): void {
    this.add(kind, now_us(), facts);
  }

  wants(kind: number): boolean {
    return this.#session?.wants(kind) ?? false;
  }

  /** Asked for every event before it is looked at: the path may have changed since the last. */
  isOpen(): boolean {
    if (location.pathname !== this.#path) {
      this.#look();
      this.#update();
    }
    return this.#shown === "recording" && this.#indicator?.isConnected === true;
  }

  add(kind: number, t_us: number, facts: Facts): void {
    const session = this.#session;
    if (session?.recording.transform !== COARSE) session?.add(kind, t_us, facts);
    else {
      const kept = coarse(kind, t_us, facts);
      if (kept) session.add(kind, ...kept);
    }
  }

  moved(time_ms: number, x_css_px: number, y_css_px: number): void {
    this.#session?.moved(time_ms, x_css_px, y_css_px);
  }

  untrusted(): void {}
}

if (window === window.top) new Page().start();
