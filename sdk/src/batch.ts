import { BLANK, type OvertEvent } from "./event.ts";
import { BATCH_ROWS_MAX, DT_US_MAX, DT_US_MIN, POSITION_8TH_MAX } from "./generated.ts";

/** What a batch says of itself; fields in the order in which they are written. */
export interface BatchHeader {
  schema: string;
  source: string;
  study: string;
  receipt: string;
  session: string;
  batch: number;
  purposes: readonly string[];
  level: string;
  transform: string;
  rows: number;
  first_seq: number;
  time_origin_ms: number;
  t0_us: number;
  clock_resolution_us: number;
  x0_8th_css_px: number;
  y0_8th_css_px: number;
  produced: number;
  removed: number;
  lost: number;
  end: boolean;
}

/** Header fields that anchor the differences of a batch of these events (at least one). */
export function anchors(events: readonly OvertEvent[]) {
  const first = events[0] ?? BLANK;
  return {
    rows: events.length,
    first_seq: first.seq,
    t0_us: first.t_us,
    x0_8th_css_px: first.x_8th_css_px,
    y0_8th_css_px: first.y_8th_css_px,
  };
}

/** Cut events of one stream into runs that fit into a batch each. Order and content stay. */
export function cut(events: readonly OvertEvent[], rows_max = BATCH_ROWS_MAX): OvertEvent[][] {
  const runs: OvertEvent[][] = [];
  let run: OvertEvent[] = [];
  let last: OvertEvent | undefined;
  for (const event of events) {
    const fits =
      last &&
      run.length < rows_max &&
      event.seq - last.seq < 2 ** 15 &&
      event.t_us - last.t_us <= DT_US_MAX &&
      event.t_us - last.t_us >= DT_US_MIN &&
      Math.abs(event.x_8th_css_px - last.x_8th_css_px) <= POSITION_8TH_MAX &&
      Math.abs(event.y_8th_css_px - last.y_8th_css_px) <= POSITION_8TH_MAX;
    if (!fits) runs.push((run = []));
    run.push(event);
    last = event;
  }
  return runs;
}
