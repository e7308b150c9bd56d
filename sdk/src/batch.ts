import { type Row, SEQ, T_US, X_8TH_CSS_PX, Y_8TH_CSS_PX } from "./event.ts";
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

/** Header fields that anchor the differences of a batch of these rows (at least one). */
export function anchors(rows: readonly Row[]) {
  const [first] = rows;
  return {
    rows: rows.length,
    first_seq: first?.[SEQ] ?? 0,
    t0_us: first?.[T_US] ?? 0,
    x0_8th_css_px: first?.[X_8TH_CSS_PX] ?? 0,
    y0_8th_css_px: first?.[Y_8TH_CSS_PX] ?? 0,
  };
}

/** Cut rows of one stream into runs that fit into a batch each. Order and content stay. */
export function cut(rows: readonly Row[], rows_max = BATCH_ROWS_MAX): Row[][] {
  const runs: Row[][] = [];
  let run: Row[] = [];
  let last: Row | undefined;
  for (const row of rows) {
    const fits =
      last &&
      run.length < rows_max &&
      row[SEQ] - last[SEQ] < 2 ** 15 &&
      row[T_US] - last[T_US] <= DT_US_MAX &&
      row[T_US] - last[T_US] >= DT_US_MIN &&
      Math.abs(row[X_8TH_CSS_PX] - last[X_8TH_CSS_PX]) <= POSITION_8TH_MAX &&
      Math.abs(row[Y_8TH_CSS_PX] - last[Y_8TH_CSS_PX]) <= POSITION_8TH_MAX;
    if (!fits) runs.push((run = []));
    run.push(row);
    last = row;
  }
  return runs;
}
