import type { Permit } from "./protocol.ts";
import { Scene } from "./scene.ts";
import type { ToFrame, ToTop } from "./top.ts";

/** What the page around says of its sign holds for so long; it says it again four times a second. */
const HOLDS_MS = 1000;
const WAKING = ["pointerover", "pointerdown", "keydown", "focusin"];

/** Whether every document around this one is of the same origin. */
export function isOfOneOrigin(): boolean {
  try {
    for (let at: Window = window; at !== at.parent; at = at.parent)
      if (at.parent.location.origin !== window.origin) return false;
    return true;
  } catch {
    return false; // another origin lets nobody look
  }
}

/**
 * A frame of the same origin within a page of a listed site. It has no sign of its own: it records
 * only while the page around says that its sign is seen. A session begins when somebody first does
 * something in it.
 */
export class Frame extends Scene {
  #channel: BroadcastChannel | null = null;
  #shows: ToFrame["shows"] = {};
  #heard_ms = -Infinity;
  #isAwake = false;

  override start(): void {
    const ends = new AbortController();
    const wake = (event: Event) => {
      if (!event.isTrusted || this.tracks.size === 0) return;
      ends.abort();
      this.#isAwake = true;
      this.look();
    };
    for (const type of WAKING)
      window.addEventListener(type, wake, { capture: true, passive: true, signal: ends.signal });
    super.start();
  }

  override stands(permits: Permit[], channel: string): void {
    super.stands(permits, channel);
    if (this.#channel?.name !== channel) {
      this.#channel?.close();
      this.#channel = channel ? new BroadcastChannel(channel) : null;
      if (this.#channel) this.#channel.onmessage = ({ data }) => this.#hear(data as ToFrame | ToTop);
    }
    this.tick();
  }

  #hear(data: ToFrame | ToTop): void {
    if (!("shows" in data)) return;
    const before = JSON.stringify(this.#shows);
    this.#shows = data.shows;
    this.#heard_ms = performance.now();
    if (JSON.stringify(data.shows) === before) return;
    this.look();
    this.relay.connect();
  }

  isSeen(at: string): boolean {
    return this.#isAwake && this.isSigned(at);
  }

  isSigned(at: string): boolean {
    if (this.#shows[at] !== "recording" || performance.now() - this.#heard_ms > HOLDS_MS) return false;
    return isOfOneOrigin() && !this.#isExcluded(at);
  }

  /** Whether the frame, or one around it, lies in what the study excludes. */
  #isExcluded(at: string): boolean {
    const fields = this.tracks.get(at)?.permit.site.fields ?? [];
    const excluded = fields.filter((one) => one.startsWith("!")).map((one) => one.slice(1));
    if (excluded.length === 0) return false;
    try {
      for (let place: Window = window; place !== place.parent; place = place.parent)
        if (!place.frameElement || place.frameElement.closest(excluded.join())) return true;
      return false;
    } catch {
      return true;
    }
  }

  look(): void {
    if (this.left) return;
    for (const track of this.tracks.values()) {
      track.look();
      track.update();
    }
  }

  protected override tick(): void {
    super.tick();
    this.#channel?.postMessage({ sessions: this.sessions } satisfies ToTop);
  }
}
