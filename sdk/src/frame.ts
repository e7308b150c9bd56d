/**
 * The fourth file, `overt-frame.js`: runs inside a frame of the page's own origin, where the page
 * around it has put it. It has the frame's own gate and capture, and neither outbox nor sign: all
 * that it makes goes to the recording of the page around, if that is recording.
 */

import { Capture, type Sink } from "./capture.ts";
import type { Facts } from "./event.ts";
import type { Host } from "./frames.ts";
import { Gate } from "./gate.ts";
import { Kind } from "./generated.ts";
import { allows, follows } from "./paths.ts";
import { Secrets } from "./secrets.ts";
import type { Take } from "./session.ts";

/** What the page around says of itself, and a frame of its own accord would say again. */
const OF_THE_PAGE: readonly number[] = [Kind.VIEW, Kind.NAVIGATION, Kind.VISIBILITY];

class Inside implements Sink {
  /** The page around may stop at any time. */
  readonly queue = null;
  #host: Host;
  /** Whether the study lists the frame's own path. */
  #isListed = false;
  #isTold: boolean;

  constructor(host: Host) {
    this.#host = host;
    this.#isTold = follows(() => this.#look());
    this.#look();
    const gate = new Gate(host.fields, new Secrets());
    new Capture(gate, this, host.keys).start();
  }

  #look(): void {
    this.#isListed = allows(this.#host.paths, location.pathname);
  }

  wants(kind: number): boolean {
    return !OF_THE_PAGE.includes(kind) && this.#host.wants(kind);
  }

  /** Asked for every event before it is looked at: the frame's own path may have changed too. */
  isOpen(): boolean {
    if (!this.#isTold) this.#look();
    return this.#isListed && this.#host.isOpen();
  }

  add(kind: number, t_us: number, facts: Facts, source: Event | null): void {
    this.#host.add(kind, t_us, facts, source);
  }

  later(event: Event, take: Take): void {
    if (event.isTrusted) take(event, (...told) => this.add(...told, event));
  }

  untrusted(): void {}
}

dispatchEvent(new CustomEvent("overt-frame", { detail: (host: Host) => new Inside(host) }));
