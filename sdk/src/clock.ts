/** Microseconds since the page's time origin, from the time stamp of a browser event (ms). */
export const toMicroseconds = (time_ms: number): number => Math.round(time_ms * 1000);

/** Now, on the same clock as `event.timeStamp`; as it was when this was loaded, whatever a page puts there. */
export const now_ms = performance.now.bind(performance);
export const now_us = (): number => toMicroseconds(now_ms());

/** The wall clock at the time origin, as told now: the two clocks part while a device sleeps. */
export const ahead_ms = (): number => Date.now() - now_ms();

const STEPS = 3;
const PATIENCE_MS = 4;
const LOOKS_MAX = 100_000;
const COARSEST_US = 100_000;

/**
 * The smallest step the clock was seen to make, µs: at most some milliseconds of watching. Of one
 * that stands still, because the page or the browser holds it, the coarsest that browsers have.
 */
export function clockResolution_us(told_ms: () => number = now_ms): number {
  const start = told_ms();
  let smallest = Infinity;
  let before = start;
  for (let steps = 0, looks = 0; steps < STEPS && before - start < PATIENCE_MS; looks += 1) {
    if (looks > LOOKS_MAX) return COARSEST_US;
    const now = told_ms();
    if (now === before) continue;
    smallest = Math.min(smallest, now - before);
    before = now;
    steps += 1;
  }
  return Math.max(1, toMicroseconds(smallest));
}
