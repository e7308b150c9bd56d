import assert from "node:assert/strict";
import { test } from "node:test";
import { better, setWrongBy_ms, told } from "../extension/src/server_clock.ts";

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
  const server = { ahead_ms: SERVER_AHEAD_MS, half_ms: 4, at_ms: 1_000_000 };
  const after = (wait_ms: number, origin_ms: number) =>
    told(server, origin_ms, server.at_ms + wait_ms, 990_000);
  assert.deepEqual(after(0, 990_000), { scroll_x_css_px: SERVER_AHEAD_MS, scroll_y_css_px: 5 });
  const begun_on_it = after(60_000, 990_000 + SERVER_AHEAD_MS);
  assert.deepEqual(begun_on_it, { scroll_x_css_px: 0, scroll_y_css_px: 11 });
  assert.equal(setWrongBy_ms(server, server.at_ms), SERVER_AHEAD_MS);
  assert.equal(setWrongBy_ms({ ...server, ahead_ms: 3 }, server.at_ms), 0, "as far as is known");
  assert.deepEqual(told(null, 0), {});
  assert.deepEqual(after(2 * 3_600_000, 0), {});
});
