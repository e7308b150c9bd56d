import { Secrets } from "../../src/gate.ts";
import { Indicator } from "../../src/indicator.ts";
import type { Call, Permit, Shown } from "./protocol.ts";
import { type Hearer, Relay } from "./relay.ts";
import { type Around, Track } from "./track.ts";

const JOURNAL_MS = 250;
/** Events that may wait in a page for a worker that does not answer; beyond, recording stops. */
const UNWRITTEN_MAX = 20_000;

const isSame = (one: Permit, other: Permit): boolean =>
  one.receipt === other.receipt && one.purposes.join() === other.purposes.join();

/**
 * One page of a site that the person switched on, for one study or several. It is in the page's
 * document but not of it: its variables are out of the page's reach, and it keeps nothing in the
 * page's storage. One sign stands for all studies; each has its own session.
 */
class Page implements Around, Hearer {
  #relay = new Relay(this);
  #secrets = new Secrets();
  /** By the address of the study. */
  #tracks = new Map<string, Track>();
  #indicator: Indicator | null = null;
  #shown: Shown = "none";
  isSeen = false;
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
      if (call === "sessions") answer([...this.#tracks.values()].map(({ session }) => session));
      else this.#relay.connect();
    });
    this.#relay.connect();
  }

  get isSigned(): boolean {
    return this.#indicator?.isConnected === true;
  }

  get isFull(): boolean {
    return this.#relay.unwritten > UNWRITTEN_MAX;
  }

  stands(permits: Permit[]): void {
    for (const [at, track] of this.#tracks) {
      const permit = permits.find((one) => one.at === at);
      if (permit && isSame(permit, track.permit)) {
        track.permit = permit;
        continue;
      }
      // What was recorded under a receipt that holds no longer: its session takes nothing more.
      track.drop(permit !== undefined);
      this.#tracks.delete(at);
    }
    for (const permit of permits)
      if (!this.#tracks.has(permit.at))
        this.#tracks.set(permit.at, new Track(permit, this, this.#secrets, this.#relay));
    if (permits.length > 0) this.#timer ||= window.setInterval(() => this.#tick(), JOURNAL_MS);
    else this.#rest();
    if (this.#indicator?.isConnected === false) this.#indicator.attach();
    this.look();
    this.#relay.post({ shows: this.#shown });
  }

  flush(): void {
    const all = [...this.#tracks.values()].map((track) => track.flush());
    void Promise.allSettled(all).then(() => this.#relay.post({ flushed: true }));
  }

  orphaned(): void {
    for (const track of this.#tracks.values()) track.drop(false);
    this.#tracks.clear();
    this.#rest();
    this.look();
  }

  #rest(): void {
    window.clearInterval(this.#timer);
    this.#timer = 0;
  }

  /** See where the page is, put the sign there or take it away, and have each study follow. */
  look(): void {
    const tracks = this.#left ? [] : [...this.#tracks.values()];
    for (const track of tracks) track.look();
    const covering = tracks.find(({ covered }) => covered);
    if (covering && document.body && !this.#indicator) {
      this.#indicator = new Indicator(
        covering.permit.words,
        () => this.#relay.post({ pressed: this.#shown === "paused" ? "resume" : "pause" }),
        (visible) => {
          this.isSeen = visible;
          this.#update();
        },
      );
      this.#indicator.attach();
      this.#indicator.show("off");
      this.isSeen = this.#indicator.isVisible();
    } else if (!covering && this.#indicator) {
      this.#indicator.remove();
      this.#indicator = null;
    }
    this.#update();
  }

  /** What all studies together do: the sign says recording as soon as one of them records. */
  #update(): void {
    const all = this.#left ? [] : [...this.#tracks.values()];
    for (const track of all) track.update();
    const is = (shown: Shown) => all.some((track) => track.shown === shown);
    const now = (["recording", "paused", "blocked"] as const).find(is) ?? "none";
    this.#indicator?.show(now === "recording" || now === "paused" ? now : "off");
    if (now === this.#shown) return;
    this.#shown = now;
    this.#relay.connect();
    this.#relay.post({ shows: now });
  }

  #tick(): void {
    this.look();
    for (const track of this.#tracks.values()) track.tick();
  }

  #hide(): void {
    this.#left = true;
    this.#shown = "none";
    for (const track of this.#tracks.values()) track.leave();
  }
}

if (window === window.top) new Page().start();
