import assert from "node:assert/strict";
import { test } from "node:test";
import { type Row, SEQ } from "../src/event.ts";
import { Kind, Pointer } from "../src/generated.ts";
import type { Recording, Streams } from "../src/outbox.ts";
import { Recent } from "../src/recent.ts";
import { samples } from "../src/pointer.ts";
import { type Desk, Session } from "../src/session.ts";

const RECORDING: Recording = {
  session: "0".repeat(32),
  study: "test",
  receipt: "0".repeat(32),
  purposes: ["next-action", "person-or-program"],
  level: "rhythm",
  transform: "rhythm/0",
  time_origin_ms: 0,
  clock_resolution_us: 100,
  outbox_delay_s: 60,
};

/** A session, and all that reached its journal, in order of number. */
function journalled(): [Session, Row[]] {
  const rows: Row[] = [];
  const desk: Desk = {
    begin: async () => new Uint8Array(),
    journal: async (_session: string, _part: number, streams: Streams) => {
      for (const run of streams.values()) rows.push(...run);
      rows.sort((a, b) => a[SEQ] - b[SEQ]);
    },
    last: () => undefined,
    close: async () => [],
  };
  return [new Session(RECORDING, desk), rows];
}

/** A move as the browser tells it: one sample, or several that came between two frames. */
function move(...places: number[]): PointerEvent {
  const parts = places.map((at) => ({ timeStamp: at / 1000, clientX: at, clientY: -at / 8 }));
  const told = { isTrusted: true, pointerType: "mouse", isPrimary: true, ...parts.at(-1) };
  return { ...told, getCoalescedEvents: () => (parts.length > 1 ? parts : []) } as never;
}

// As in Chromium: then moves wait.
Object.defineProperty(navigator, "userAgentData", { value: {} });

test("moves that wait for the journal are numbered, timed and placed as if they had not", async () => {
  const place = (at: number) => ({ x_8th_css_px: 8 * at, y_8th_css_px: -at });
  const [waiting, later] = journalled();
  const [ready, atOnce] = journalled();
  for (let at = 1; at < 40; at += 1) {
    const parts = at % 5 === 0 ? [at - 0.5, at] : [at];
    waiting.later(move(...parts), samples);
    for (const part of parts) {
      const [x, y] = [Math.round(8 * part), Math.round(-part)];
      const facts = { pointer: Pointer.MOUSE, x_8th_css_px: x, y_8th_css_px: y };
      ready.add(Kind.POINTER_MOVE, Math.round(part), facts);
    }
    for (const session of [waiting, ready]) {
      if (at % 7 === 0) session.add(Kind.CLICK, at, { ...place(at), button: 1 });
      if (at % 11 === 0) session.add(Kind.KEY_DOWN, at, { key_class: 1, slot: 1 });
      if (at % 13 === 0) await session.flush(Infinity);
    }
  }
  assert.equal(waiting.open, ready.open);
  await Promise.all([waiting.leave(50), ready.leave(50)]);
  assert.equal(later.length, 39 + 7 + 5 + 3 + 1);
  assert.deepEqual(later, atOnce);
});

test("what waits is judged by what held when it happened, and where somebody watches nothing waits", () => {
  let [isOpen, isWatched] = [true, false];
  const made: number[] = [];
  const tell = ([, t_us = 0]: Row): boolean => {
    made.push(t_us);
    return isWatched;
  };
  const desk = { begin: async () => new Uint8Array(), journal: async () => {}, last: () => {}, close: async () => [] };
  const session = new Session(RECORDING, desk, tell, () => isOpen);
  session.later(move(1), samples);
  session.later(move(2), samples);
  session.later(move(3), samples);
  assert.deepEqual(made, [1], "the first is read at once, then they wait");
  session.settle();
  isOpen = false;
  session.later(move(4), samples);
  session.settle();
  isOpen = true;
  assert.deepEqual(made, [1, 2, 3]);
  isWatched = true;
  session.add(Kind.CLICK, 5, {});
  session.enough = 0;
  for (const at of [6, 7]) session.later(move(at), samples);
  assert.deepEqual(made, [1, 2, 3, 5, 6, 7]);
});

test("what was found of an element holds for a tenth of a second, unless it is forgotten", () => {
  const recent = new Recent<number>();
  const [one, other] = [new EventTarget(), new EventTarget()];
  let asked = 0;
  const ask = (target: EventTarget | null, at_ms: number) => recent.of(target, at_ms, () => (asked += 1));
  assert.deepEqual([ask(one, 1000), ask(one, 1090), ask(one, 1101)], [1, 1, 2]);
  assert.deepEqual([ask(other, 1102), ask(one, 1103)], [3, 4], "of another it says nothing");
  recent.forget();
  assert.deepEqual([ask(one, 1104), ask(one, 1), ask(one, 2)], [5, 6, 6], "nor after a clock went back");
});
