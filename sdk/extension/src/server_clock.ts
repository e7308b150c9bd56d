import type { Facts } from "../../src/event.ts";
import { ahead_ms } from "../../src/clock.ts";

/** How far the server's clock is ahead of this device's wall clock, as an answer of it told. */
export interface ServerClock {
  ahead_ms: number;
  /** Half the time that the answer took: to within so much it was known then. */
  half_ms: number;
  /** Wall clock when it was told. */
  at_ms: number;
}

/** Two clocks get apart by at most so much of the time that passes. */
const DRIFT = 1e-4;
/** After so long without an answer, somebody may have set the wall clock. */
const KEPT_MS = 3_600_000;
const MOST_MS = 2 ** 31;

const within_ms = ({ half_ms, at_ms }: ServerClock, now_ms: number): number =>
  half_ms + DRIFT * Math.abs(now_ms - at_ms);

/** The better of what was known and what an answer between two looks at the wall clock tells. */
export function better(
  before: ServerClock | null,
  asked_ms: number,
  said_us: unknown,
  answered_ms: number,
): ServerClock | null {
  if (typeof said_us !== "number" || answered_ms < asked_ms) return before;
  const at_ms = (asked_ms + answered_ms) / 2;
  const ahead_ms = said_us / 1000 - at_ms;
  const now = { ahead_ms, half_ms: (answered_ms - asked_ms) / 2 + 1, at_ms };
  const agree =
    before &&
    Math.abs(before.ahead_ms - ahead_ms) <= within_ms(before, answered_ms) + now.half_ms;
  return agree && within_ms(before, answered_ms) < now.half_ms ? before : now;
}

export const isFresh = (one: ServerClock, now_ms = Date.now()): boolean =>
  Math.abs(now_ms - one.at_ms) < KEPT_MS;

/** By how much the wall clock is set wrong, if by more than how well that is known. */
export function setWrongBy_ms(server: ServerClock | null, now_ms = Date.now()): number {
  if (!server || !isFresh(server, now_ms)) return 0;
  return Math.abs(server.ahead_ms) > within_ms(server, now_ms) ? server.ahead_ms : 0;
}

/**
 * What a mark says of the clocks (`spec/event.md`): by how many ms the server's got ahead of a session
 * with this time origin, and to within how many. Nothing where that is not known.
 */
export function told(
  server: ServerClock | null,
  time_origin_ms: number,
  now_ms = Date.now(),
  wall_at_origin_ms = ahead_ms(),
): Facts {
  if (!server || !isFresh(server, now_ms)) return {};
  const ahead = Math.round(wall_at_origin_ms + server.ahead_ms - time_origin_ms);
  const within = Math.ceil(within_ms(server, now_ms)) + 1;
  if (Math.abs(ahead) >= MOST_MS || within >= MOST_MS) return {};
  return { scroll_x_css_px: ahead, scroll_y_css_px: within };
}
