import assert from "node:assert/strict";
import { test } from "node:test";
import { better, told } from "../extension/src/server_clock.ts";

const SERVER_AHEAD_MS = 73_000;

test("the better of two answers is kept, and a clock that was set is believed", () => {
  const slow = better(null, 1000, (1100 + SERVER_AHEAD_MS) * 1000, 2000);
  assert.ok(slow && Math.abs(slow.ahead_ms - SERVER_AHEAD_MS) <= slow.half_ms);
  const quick = better(slow, 3000, (3004 + SERVER_AHEAD_MS) * 1000, 3010);
  assert.ok(quick && Math.abs(quick.ahead_ms - SERVER_AHEAD_MS) <= quick.half_ms);
  assert.equal(better(quick, 4000, (4100 + SERVER_AHEAD_MS) * 1000, 4200), quick);
  const set = better(quick, 5000, 5100 * 1000, 5200);
  assert.ok(set && Math.abs(set.ahead_ms) <= set.half_ms, "though its answer took longer");
});

test("an answer without a time, or over a wall clock that was set back, tells nothing", () => {
  assert.equal(better(null, 1000, undefined, 2000), null);
  assert.equal(better(null, 1000, 5, 900), null);
});

test("a mark says how far the server got ahead of the session, and to within what", () => {
  const server = { ahead_ms: SERVER_AHEAD_MS, half_ms: 4, at_ms: Date.now() };
  const wall_at_origin_ms = Date.now() - performance.now();
  const { scroll_x_css_px: ahead = 0, scroll_y_css_px: within = 0 } = told(server, wall_at_origin_ms);
  assert.ok(Math.abs(ahead - SERVER_AHEAD_MS) <= 3);
  assert.ok(within >= 5 && within <= 7);
  const corrected = told(server, wall_at_origin_ms + SERVER_AHEAD_MS);
  assert.ok(Math.abs(corrected.scroll_x_css_px ?? 99) <= 3);
  assert.deepEqual(told(null, 0), {});
  assert.deepEqual(told({ ...server, at_ms: Date.now() - 2 * 3_600_000 }, 0), {});
});
