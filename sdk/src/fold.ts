import type { BatchHeader } from "./batch.ts";
import { KIND, type Row, T_US, X_8TH_CSS_PX } from "./event.ts";

/** Of a row of the journal: its columns in the order in which they go over the wire. */
export const ORDER: readonly number[] = [2, 0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 17, 13, 14, 15];

/** Kinds of event that are told apart, so much of a number is written in ones, how a column begins. */
const KINDS = 64;
const UNARY_MAX = 20;
const SCALE_FIRST = 16;
const SCALE_MAX = 124;
const RUN_FIRST = 8;
const RUN_MAX = 48;

/** 0, 1, 2, 3 … for 0, -1, 1, -2 … */
const number = (size: number): number => (size < 0 ? -2 * size - 1 : 2 * size);

/** A number of the header, seven bits a byte. */
function several(into: number[], value: number): void {
  for (; value > 127; value = Math.floor(value / 128)) into.push((value % 128) | 128);
  into.push(value);
}

function text(into: number[], told: string): void {
  const pairs = /^([0-9a-f]{2})+$/.test(told) ? told.match(/../g) : null;
  const bytes = pairs?.map((pair) => parseInt(pair, 16)) ?? [...new TextEncoder().encode(told)];
  several(into, 2 * bytes.length + (pairs ? 1 : 0));
  into.push(...bytes);
}

/**
 * What is written of a column: what is beside what one expects after the events of the same kind
 * before, which is the last value, a slow mean of them (`dt_us`), or the mean of two; or nothing.
 */
function differences(values: Int32Array, kinds: Int32Array, slow: boolean, two: boolean, none: boolean) {
  const last = new Int32Array(KINDS);
  const before = new Int32Array(KINDS);
  const found = new Uint32Array(values.length);
  for (let row = 0; row < found.length; row += 1) {
    const kind = (kinds[row] as number) & (KINDS - 1);
    const one = last[kind] as number;
    const expected = none ? 0 : two ? Math.trunc((one + (before[kind] as number)) / 2) : one;
    const by = ((values[row] as number) - expected) | 0;
    before[kind] = one;
    last[kind] = slow ? one + (by >> 2) : (values[row] as number);
    found[row] = number(by);
  }
  return found;
}

/**
 * A batch in few bytes, for the wire, as `overt.schema.fold` undoes it: of the header the values, of
 * each column what was not to be expected, in an adaptive run-length and Rice code.
 */
export function folded(header: BatchHeader, all: readonly Row[]): Uint8Array<ArrayBuffer> {
  const texts: number[] = [];
  const numbers: number[] = [];
  for (const value of Object.values(header) as BatchHeader[keyof BatchHeader][])
    if (typeof value === "string") text(texts, value);
    else if (typeof value === "object") {
      several(texts, value.length);
      for (const each of value) text(texts, each);
    } else several(numbers, number(Number(value)));
  const out = [0x4f, 0x56, 0x42, 0x33]; // OVB3
  several(out, texts.length);
  out.push(...texts, ...numbers);

  let [byte, full] = [0, 0];
  let [scale, run] = [0, 0];
  const put = (value: number, count: number): void => {
    while (count > 0) {
      byte |= (value << full) & 255;
      const taken = Math.min(8 - full, count);
      if (taken < 8 - full) byte &= (1 << (full + taken)) - 1;
      full += taken;
      count -= taken;
      value >>>= taken;
      if (full === 8) {
        out[out.length] = byte;
        byte = full = 0;
      }
    }
  };
  const rice = (value: number): void => {
    const low = scale >> 2;
    const high = Math.min(UNARY_MAX, value >>> low);
    put((1 << high) - 1, high);
    if (high < UNARY_MAX) put(0, 1);
    put(value, high < UNARY_MAX ? low : 32);
    scale = high ? Math.min(SCALE_MAX, scale + (high > 1 ? high : 0)) : Math.max(0, scale - 2);
  };
  const rows = all.length;
  let kinds = new Int32Array();
  for (const column of ORDER) {
    // Number, time and place go as the difference to the row before.
    const isDifference = column <= T_US || column >= X_8TH_CSS_PX;
    const values = new Int32Array(rows);
    let step = 0;
    let before = all[0]?.[column] ?? 0;
    for (let row = 0; row < rows; row += 1) {
      const value = all[row]?.[column] ?? 0;
      values[row] = isDifference ? value - before : value;
      before = value;
      for (let rest = step === 1 ? 0 : Math.abs(values[row] as number); rest > 0; ) {
        const over = step % rest;
        step = rest;
        rest = over;
      }
    }
    [scale, run] = [SCALE_FIRST, RUN_FIRST];
    rice(step);
    if (step === 0) continue;
    for (let row = 0; step > 1 && row < rows; row += 1) values[row] = (values[row] as number) / step;
    // A kind is expected to be what followed the one before it the last time.
    const at = column === KIND ? Int32Array.of(0, ...values) : kinds;
    if (column === KIND) kinds = values;
    const isPlace = column >= X_8TH_CSS_PX;
    let found = differences(values, at, column === T_US, isPlace, false);
    if (isPlace) {
      const plain = differences(values, at, false, false, true);
      const bits = (some: Uint32Array) => some.reduce((sum, each) => sum - Math.clz32(each), 0);
      const isRough = bits(plain) <= bits(found);
      put(isRough ? 0 : 1, 1);
      if (isRough) found = plain;
    }
    for (let row = 0; row < rows; ) {
      const ahead = run >> 2;
      let zeros = 0;
      while (ahead && zeros < 1 << ahead && found[row + zeros] === 0) zeros += 1;
      const first = found[(row += zeros)];
      if (ahead && (zeros === 1 << ahead || first === undefined)) {
        put(0, 1);
        run = Math.min(RUN_MAX, run + 2);
        continue;
      }
      // Behind a run there is no 0.
      if (ahead) put((zeros << 1) | 1, ahead + 1);
      rice((first as number) - (ahead ? 1 : 0));
      run = ahead || first ? Math.max(0, run - 1) : run + 3;
      row += 1;
    }
  }
  if (full) out.push(byte);
  return Uint8Array.from(out);
}
