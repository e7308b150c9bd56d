/** The person's own pointer, as far as it is recorded for this purpose: kept in memory only. */

import { Kind, Pointer } from "../../../../sdk/src/generated.ts";
import type { Watched } from "../../../../sdk/src/index.ts";
import { type Trace, inputS, lastOf, traceOf, windowOf } from "./motion.ts";
import type { Judge, Verdict } from "./verdict.ts";

export const PURPOSE = "person-or-program";
/** Seconds of movement that are too few to say anything. */
export const LEAST_S = 3;
const WINDOW_S = 15;
const SAMPLES_MAX = 6000;

export type Sample = [t_ms: number, x: number, y: number];

export class Movement {
  private samples: Sample[] = [];

  /** Take note of an event; returns whether it was movement of a mouse. */
  note({ event, purposes }: Watched): boolean {
    const moved = [Kind.POINTER_MOVE, Kind.POINTER_DOWN, Kind.POINTER_UP] as number[];
    if (!purposes.includes(PURPOSE) || !moved.includes(event.kind)) return false;
    if (event.pointer !== Pointer.MOUSE) return false;
    this.samples.push([event.t_us / 1000, event.x_8th_css_px / 8, event.y_8th_css_px / 8]);
    if (this.samples.length > SAMPLES_MAX) this.samples.splice(0, SAMPLES_MAX / 2);
    return true;
  }

  all(): Sample[] {
    return this.samples;
  }

  forget(): void {
    this.samples = [];
  }
}

/** What is judged of samples: the last seconds, and how many those are. */
export function judged(samples: Sample[]): { trace: Trace; seconds: number } {
  const trace = lastOf(traceOf(samples), WINDOW_S);
  return { trace, seconds: inputS(trace) };
}

/** The verdict on samples; null where there are too few, or no model. */
export function verdictOn(samples: Sample[], judge: Judge | null): Verdict | null {
  const { trace, seconds } = judged(samples);
  return judge && seconds >= LEAST_S ? judge.of(windowOf(trace)) : null;
}
