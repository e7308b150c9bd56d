/**
 * How a pointer moved, in numbers: what `overt.models.programs.strokes` computes, line by line.
 *
 * `spec/programs.md` says what each number is, `spec/vectors/programs.json` what must come out.
 */

/** Samples at which the pointer moved: ms, and whole CSS pixels. */
export interface Trace {
  t: number[];
  x: number[];
  y: number[];
}

const GAP_MS = 120;
const PAUSE_MAX_MS = 500;
const GRID_MS = 25;
const GRID_POINTS_MIN = 6;
const GRID_POINTS_MAX = 400;
const PATH_PX_MIN = 24;
const JUMP_PX = 80;
const STROKES_MAX = 60;
const TINY = 1e-6;
const PROFILE = 12;
const NUMBERS = 23;
/** How many numbers a window is. */
export const WIDTH = 2 * NUMBERS + 3;
/** Which of them is the share of steps along an axis (`axis_steps_median`). */
export const AXIS_STEPS = 21;

function whole(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** Samples as every source is read: in order, whole pixels, only movement. */
export function traceOf(samples: readonly [number, number, number][]): Trace {
  const ordered = samples
    .filter((sample) => sample.every(Number.isFinite))
    .map(([t, x, y]) => [t, whole(x), whole(y)] as const)
    .sort((a, b) => a[0] - b[0]);
  const made: Trace = { t: [], x: [], y: [] };
  ordered.forEach(([t, x, y], i) => {
    if (ordered[i + 1]?.[0] === t) return;
    const last = made.t.length - 1;
    if (last >= 0 && made.x[last] === x && made.y[last] === y) return;
    made.t.push(t);
    made.x.push(x);
    made.y.push(y);
  });
  return made;
}

/** Seconds of input: a pause counts half a second at most. */
export function inputS({ t }: Trace): number {
  let passed = 0;
  for (let i = 1; i < t.length; i++) passed += Math.min(t[i]! - t[i - 1]!, PAUSE_MAX_MS);
  return passed / 1000;
}

/** The last `seconds` of input. */
export function lastOf(trace: Trace, seconds: number): Trace {
  let start = trace.t.length - 1;
  let passed = 0;
  while (start > 0) {
    passed += Math.min(trace.t[start]! - trace.t[start - 1]!, PAUSE_MAX_MS);
    if (passed > seconds * 1000) break;
    start--;
  }
  const from = Math.max(start, 0);
  return { t: trace.t.slice(from), x: trace.x.slice(from), y: trace.y.slice(from) };
}

type Grid = { x: number[]; y: number[] };

function onGrid({ t, x, y }: Trace): Grid {
  const n = t.length;
  const span = t[n - 1]! - t[0]!;
  const count = Math.min(Math.trunc(span / GRID_MS + TINY) + 1, GRID_POINTS_MAX);
  const grid: Grid = { x: [], y: [] };
  let k = 0;
  for (let i = 0; i < count; i++) {
    const at = i * GRID_MS;
    while (k + 2 < n && t[k + 1]! - t[0]! <= at) k++;
    if (n === 1) {
      grid.x.push(0);
      grid.y.push(0);
      continue;
    }
    const u = Math.min((at - (t[k]! - t[0]!)) / (t[k + 1]! - t[k]!), 1);
    grid.x.push(x[k]! - x[0]! + u * (x[k + 1]! - x[k]!));
    grid.y.push(y[k]! - y[0]! + u * (y[k + 1]! - y[k]!));
  }
  return grid;
}

function correlation(a: number[], b: number[]): number {
  const n = Math.min(a.length, b.length);
  if (n < 3) return Number.NaN;
  let ma = 0;
  let mb = 0;
  for (let i = 0; i < n; i++) {
    ma += a[i]! / n;
    mb += b[i]! / n;
  }
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    ab += (a[i]! - ma) * (b[i]! - mb);
    aa += (a[i]! - ma) ** 2;
    bb += (b[i]! - mb) ** 2;
  }
  return aa < TINY || bb < TINY ? 0 : ab / Math.sqrt(aa * bb);
}

interface Stroke {
  numbers: number[];
  profile: number[];
}

function measure(grid: Grid, x: number[], y: number[]): Stroke | null {
  const m = grid.x.length;
  if (m < GRID_POINTS_MIN) return null;
  const n = m - 1;
  const vx = Array.from({ length: n }, (_, i) => grid.x[i + 1]! - grid.x[i]!);
  const vy = Array.from({ length: n }, (_, i) => grid.y[i + 1]! - grid.y[i]!);
  const speed = vx.map((v, i) => Math.sqrt(v * v + vy[i]! * vy[i]!));
  const path = speed.reduce((sum, v) => sum + v, 0);
  if (path < PATH_PX_MIN) return null;
  const [cx, cy] = [grid.x[n]! - grid.x[0]!, grid.y[n]! - grid.y[0]!];
  const chord = Math.sqrt(cx * cx + cy * cy);
  const [ux, uy] = chord < TINY ? [1, 0] : [cx / chord, cy / chord];
  const px = grid.x.map((v) => v - grid.x[0]!);
  const py = grid.y.map((v) => v - grid.y[0]!);
  const along = px.map((v, i) => v * ux + py[i]! * uy);
  const aside = px.map((v, i) => py[i]! * ux - v * uy);
  const out = new Array<number>(NUMBERS).fill(Number.NaN);
  shape(along, aside, chord, path, out);
  speeds(speed, path, out);
  jerks(vx, vy, speed, path, along, aside, out);
  turns(vx, vy, speed, out);
  out[AXIS_STEPS] = axisSteps(x, y);
  const profile = new Array<number>(2 * PROFILE);
  for (let k = 0; k < PROFILE; k++) {
    const i = Math.floor((k * (m - 1)) / (PROFILE - 1));
    profile[k] = along[i]! / path;
    profile[PROFILE + k] = aside[i]! / path;
  }
  return { numbers: out, profile };
}

function axisSteps(x: number[], y: number[]): number {
  let [steps, axis] = [0, 0];
  for (let i = 1; i < x.length; i++) {
    const dx = Math.abs(x[i]! - x[i - 1]!);
    const dy = Math.abs(y[i]! - y[i - 1]!);
    if (dx + dy < 3) continue;
    steps++;
    if (dx === 0 || dy === 0) axis++;
  }
  return steps ? axis / steps : Number.NaN;
}

function shape(along: number[], aside: number[], chord: number, path: number, out: number[]): void {
  const m = along.length;
  let [deviation, side, over, jerk, constant] = [0, 0, 0, 0, 0];
  for (let i = 0; i < m; i++) {
    const s = i / (m - 1);
    deviation = Math.max(deviation, Math.abs(aside[i]!));
    side += aside[i]!;
    over = Math.max(over, along[i]! - chord);
    const wanted = s ** 3 * (10 - 15 * s + 6 * s ** 2);
    jerk += (along[i]! / path - (wanted * chord) / path) ** 2;
    constant += (along[i]! / path - (s * chord) / path) ** 2;
  }
  out[0] = chord / path;
  out[1] = deviation / path;
  out[2] = Math.abs(side) / m / path;
  out[8] = Math.sqrt(jerk / m);
  out[9] = Math.sqrt(constant / m);
  out[20] = over / path;
}

function speeds(speed: number[], path: number, out: number[]): void {
  const n = speed.length;
  const mean = path / n;
  let [square, most, half, at, peaks, steady, moving] = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    square += (speed[i]! - mean) ** 2;
    if (speed[i]! > most + TINY) [most, at] = [speed[i]!, i];
    if (2 * i < n) half += speed[i]!;
  }
  for (let i = 1; i < n - 1; i++) {
    const [up, down] = [speed[i]! - speed[i - 1]!, speed[i]! - speed[i + 1]!];
    if (up > TINY && down > -TINY && speed[i]! > 0.1 * most + TINY) peaks++;
  }
  for (let i = 1; i < n; i++) {
    const larger = Math.max(speed[i]!, speed[i - 1]!);
    if (larger <= 2 + TINY) continue;
    moving++;
    if (Math.abs(speed[i]! - speed[i - 1]!) < 0.1 * larger + TINY) steady++;
  }
  out[3] = Math.sqrt(square / n) / mean;
  out[4] = most / mean;
  out[5] = (at + 0.5) / n;
  out[6] = peaks / ((n * GRID_MS) / 1000);
  out[10] = speed[0]! / mean;
  out[11] = speed[n - 1]! / mean;
  out[19] = half / path;
  out[22] = moving ? steady / moving : Number.NaN;
}

function jerks(
  vx: number[],
  vy: number[],
  speed: number[],
  path: number,
  along: number[],
  aside: number[],
  out: number[],
): void {
  const n = vx.length;
  let jerk = 0;
  for (let i = 1; i < n - 1; i++) {
    const jx = vx[i + 1]! - 2 * vx[i]! + vx[i - 1]!;
    const jy = vy[i + 1]! - 2 * vy[i]! + vy[i - 1]!;
    jerk += jx * jx + jy * jy;
  }
  out[7] = Math.log(((jerk / (n - 2)) * n * n) / (path * path) + 1e-6);
  const rough = (p: number[]): number => {
    let sum = 0;
    for (let i = 3; i <= n; i++) sum += (p[i]! - 3 * p[i - 1]! + 3 * p[i - 2]! - p[i - 3]!) ** 2;
    return Math.sqrt(sum / (n - 2));
  };
  out[16] = Math.log(rough(aside) + 0.1);
  out[17] = Math.log(rough(along) / (path / n) + 1e-3);
  const push = speed.slice(1).map((v, i) => v - speed[i]!);
  out[18] = correlation(push.slice(1), push);
}

function turns(vx: number[], vy: number[], speed: number[], out: number[]): void {
  const turn: number[] = [];
  const slow: number[] = [];
  let total = 0;
  for (let i = 1; i < vx.length; i++) {
    if (Math.min(speed[i]!, speed[i - 1]!) < 1 - TINY) continue;
    const cross = vx[i - 1]! * vy[i]! - vy[i - 1]! * vx[i]!;
    const dot = vx[i - 1]! * vx[i]! + vy[i - 1]! * vy[i]!;
    const angle = Math.atan2(cross, dot);
    turn.push(angle);
    slow.push(Math.log(speed[i]! + speed[i - 1]!));
    total += Math.abs(angle);
  }
  const count = turn.length;
  if (count < 3) return;
  let [changes, both] = [0, 0];
  for (let i = 1; i < count; i++) {
    if (Math.abs(turn[i]!) <= TINY || Math.abs(turn[i - 1]!) <= TINY) continue;
    both++;
    if (turn[i]! > 0 !== turn[i - 1]! > 0) changes++;
  }
  out[12] = Math.log(total / count + 1e-3);
  out[13] = both ? changes / both : Number.NaN;
  out[14] = correlation(turn.slice(1), turn);
  out[15] = correlation(
    turn.map((angle) => Math.log(Math.abs(angle) + 0.01)),
    slow,
  );
}

const ordered = (values: number[]): number[] =>
  values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);

const median = (fine: number[]): number =>
  (fine[(fine.length - 1) >> 1]! + fine[fine.length >> 1]!) / 2;

/** The numbers of a window in the order of `overt.models.programs.features.NAMES`. */
export function windowOf({ t, x, y }: Trace): number[] {
  const row = new Array<number>(WIDTH).fill(Number.NaN);
  if (t.length < 2) return row;
  const strokes: Stroke[] = [];
  let [start, jumped, path, run] = [0, 0, 0, 0];
  for (let i = 1; i <= t.length; i++) {
    if (i < t.length) {
      const step = Math.sqrt((x[i]! - x[i - 1]!) ** 2 + (y[i]! - y[i - 1]!) ** 2);
      path += step;
      if (t[i]! - t[i - 1]! <= GAP_MS) {
        run += step;
        continue;
      }
      if (step >= JUMP_PX) jumped += step;
    }
    const part = { t: t.slice(start, i), x: x.slice(start, i), y: y.slice(start, i) };
    const grid = onGrid(part);
    if (grid.x.length < GRID_POINTS_MIN && run >= JUMP_PX) jumped += run;
    else if (strokes.length < STROKES_MAX) {
      const stroke = measure(grid, part.x, part.y);
      if (stroke) strokes.push(stroke);
    }
    start = i;
    run = 0;
  }
  row[2 * NUMBERS] = path > 0 ? jumped / path : Number.NaN;
  for (let k = 0; k < NUMBERS; k++) {
    const fine = ordered(strokes.map((stroke) => stroke.numbers[k]!));
    if (fine.length) row[k] = median(fine);
    const low = (fine.length - 1) >> 2;
    if (fine.length >= 3) row[NUMBERS + k] = (fine[fine.length - 1 - low]! - fine[low]!) / 2;
  }
  const apart = ordered(pairs(strokes));
  if (apart.length) {
    row[2 * NUMBERS + 1] = median(apart);
    row[2 * NUMBERS + 2] = Math.log(apart[0]! + 1e-3);
  }
  return row;
}

/** How far the profiles of every two strokes are from each other. */
function pairs(strokes: Stroke[]): number[] {
  return strokes.flatMap((a, place) =>
    strokes.slice(0, place).map((b) => {
      const sum = a.profile.reduce((total, v, i) => total + (v - b.profile[i]!) ** 2, 0);
      return Math.sqrt(sum / PROFILE);
    }),
  );
}
