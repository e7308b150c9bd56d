import { Indicator } from "../../src/indicator.ts";
import type { Call, Permit, Shown } from "./protocol.ts";
import { Scene } from "./scene.ts";

/** What a page says to the frames in it: what each study does, by its address. */
export interface ToFrame {
  shows: Record<string, Shown>;
}

/** What a frame says to the page around it. */
export interface ToTop {
  sessions: string[];
}

/**
 * One page of a site that the person switched on, for one study or several. It is in the page's
 * document but not of it: its variables are out of the page's reach, and it keeps nothing in the
 * page's storage. One sign stands for all studies, and for the frames of the same origin too.
 */
export class Top extends Scene {
  #indicator: Indicator | null = null;
  #shown: Shown = "none";
  #isSeen = false;
  /** Known to the extension's scripts in this tab alone: by its name a page would have to guess it. */
  #channel = new BroadcastChannel(`overt-${crypto.randomUUID()}`);
  /** Sessions of the frames in it. */
  #inside = new Set<string>();
  #hasFrames = false;

  override start(): void {
    chrome.runtime.onMessage.addListener((message, _sender, answer) => {
      const { call } = message as Call;
      if (call === "sessions") answer([...this.sessions, ...this.#inside]);
      else if (call === "channel") answer(this.#channel.name);
      else this.relay.connect();
    });
    this.#channel.onmessage = ({ data }) => {
      this.#hasFrames = true;
      for (const session of (data as Partial<ToTop>).sessions ?? []) this.#inside.add(session);
      this.#tellFrames();
    };
    super.start();
  }

  isSeen(): boolean {
    return this.#isSeen;
  }

  isSigned(): boolean {
    return this.#isSeen && this.#indicator?.isConnected === true;
  }

  override stands(permits: Permit[], channel: string): void {
    super.stands(permits, channel);
    if (this.#indicator?.isConnected === false) this.#indicator.attach();
    this.look();
    this.relay.post({ shows: this.#shown });
  }

  /** See where the page is, put the sign there or take it away, and have each study follow. */
  look(): void {
    const tracks = this.left ? [] : [...this.tracks.values()];
    for (const track of tracks) track.look();
    const covering = tracks.find(({ covered }) => covered);
    if (covering && document.body && !this.#indicator) {
      this.#indicator = new Indicator(
        covering.permit.words,
        () => this.relay.post({ pressed: this.#shown === "paused" ? "resume" : "pause" }),
        (visible) => {
          this.#isSeen = visible;
          this.#update();
        },
      );
      this.#indicator.attach();
      this.#indicator.show("off");
      this.#isSeen = this.#indicator.isVisible();
    } else if (!covering && this.#indicator) {
      this.#indicator.remove();
      this.#indicator = null;
    }
    this.#update();
  }

  /** What all studies together do: the sign says recording as soon as one of them records. */
  #update(): void {
    const all = this.left ? [] : [...this.tracks.values()];
    const before = all.map((track) => track.shown).join();
    for (const track of all) track.update();
    if (all.map((track) => track.shown).join() !== before) this.#tellFrames();
    const is = (shown: Shown) => all.some((track) => track.shown === shown);
    const now = (["recording", "paused", "blocked"] as const).find(is) ?? "none";
    this.#indicator?.show(now === "recording" || now === "paused" ? now : "off");
    if (now === this.#shown) return;
    this.#shown = now;
    this.relay.connect();
    this.relay.post({ shows: now });
  }

  #tellFrames(): void {
    if (!this.#hasFrames) return;
    const shows: ToFrame["shows"] = {};
    if (!this.left && this.isSigned())
      for (const [at, track] of this.tracks) shows[at] = track.shown;
    this.#channel.postMessage({ shows } satisfies ToFrame);
  }

  protected override tick(): void {
    super.tick();
    this.#tellFrames();
  }

  protected override hide(): void {
    this.#shown = "none";
    super.hide();
    this.#tellFrames();
  }
}
