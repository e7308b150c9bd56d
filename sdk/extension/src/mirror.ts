import { type OvertEvent, fromRow } from "../../src/event.ts";
import type { Part } from "../../src/outbox.ts";
import { type EventWords, describe } from "../../src/words.ts";
import type { MirrorView } from "./protocol.ts";

const SHOWN_MAX = 60;

/** The latest events of a study as pages hand them over: in memory alone, a few, de-identified. */
export class Mirror {
  #latest: { at_ms: number; event: OvertEvent; times: number }[] = [];

  /** `origin_ms`: the session's time origin on the wall clock. */
  add(streams: Part["streams"], origin_ms: number): void {
    const events = Object.values(streams).flatMap((rows) => rows.map(fromRow));
    for (const event of events.sort((one, other) => one.seq - other.seq)) {
      const at_ms = origin_ms + event.t_us / 1000;
      const before = this.#latest.at(-1);
      // Moves come by the hundred: the last place, and how many there were.
      const again = before?.event.kind === event.kind && event.pointer > 0 && event.button === 0;
      if (before && again) Object.assign(before, { at_ms, event, times: before.times + 1 });
      else this.#latest.push({ at_ms, event, times: 1 });
    }
    this.#latest = this.#latest.slice(-SHOWN_MAX);
  }

  clear(): void {
    this.#latest = [];
  }

  view(words?: EventWords): MirrorView {
    return this.#latest
      .map(({ at_ms, event, times }) => ({ at_ms, text: describe(event, words), times }))
      .reverse();
  }
}
