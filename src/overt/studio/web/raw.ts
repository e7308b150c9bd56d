/**
 * Raw key presses, for the risk step alone: kept in this page's memory once the person asked for it
 * and while recording is on, never stored, never sent, forgotten on pause, withdrawal and close. They
 * come from what the SDK's gate let through, so a secret field or one off the study's list never
 * gets here.
 */

import { Kind } from "../../../../sdk/src/generated.ts";
import type { Watched } from "../../../../sdk/src/index.ts";
import type { Press } from "./attack.ts";

const PRESSES_MAX = 4000;

export class RawPresses {
  /** Whether the person asked this page to remember; nothing is kept before. */
  wanted = false;
  private presses: Press[] = [];
  private readonly held = new Map<string, Press>();

  /** Take note of one watched event if it is a key event; anything else is ignored. */
  note(watched: Watched): void {
    const { event, source } = watched;
    if (!this.wanted || !(source instanceof KeyboardEvent)) return;
    if (event.kind === Kind.KEY_DOWN && !source.repeat) {
      const press = {
        symbol: symbolOf(source),
        keyClass: event.key_class,
        down_us: source.timeStamp * 1000,
        up_us: 0,
      };
      this.held.set(source.code, press);
      if (this.presses.length < PRESSES_MAX) this.presses.push(press);
    } else if (event.kind === Kind.KEY_UP) {
      const press = this.held.get(source.code);
      this.held.delete(source.code);
      if (press) press.up_us = source.timeStamp * 1000;
    }
  }

  /** The presses so far that have been released, in order; all where no release is told of. */
  all(): readonly Press[] {
    const released = this.presses.filter((press) => press.up_us > 0);
    return released.length > 0 ? released : this.presses;
  }

  get size(): number {
    return this.presses.length;
  }

  forget(): void {
    this.presses = [];
    this.held.clear();
  }
}

function symbolOf(event: KeyboardEvent): number {
  if (event.key.length === 1) return event.key.toLowerCase().codePointAt(0)!;
  return -[...event.code].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7);
}
