import { WIRE } from "./generated.ts";
import { ascii, metadata, pad, readHeader } from "./wire.ts";

const STEPS = 8;

/**
 * The same batch in fewer bytes, for the wire, as `overt.schema.fold` undoes it: each column as
 * planes of bytes, numbers near 0 first, time in steps of the clock; of the header, the values.
 */
export function folded(plain: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = plain.slice();
  const { header, offset } = readHeader(whole);
  const { rows, clock_resolution_us } = header;
  const head = ascii(Object.values(header));
  // What is written is never longer than what was read.
  const made = whole.slice();
  made.set([0x4f, 0x56, 0x42, 0x32, head.length, head.length >> 8, 0, 0]); // OVB2
  made.set(head, 8);
  let [from, to] = [offset + metadata.length, 8 + head.length];
  for (const [name, width] of WIRE) {
    const Column = width === 1 ? Int8Array : width === 2 ? Int16Array : Int32Array;
    const values = new Column(whole.buffer, from, rows);
    from += rows * width + pad(rows * width);
    let step = name === "dt_us" ? clock_resolution_us : 1;
    if (values.some((value) => value % step !== 0)) step = 1;
    let all = 0;
    const numbers = Uint32Array.from(values, (value) => {
      const steps = value / step;
      const number = (steps << 1) ^ (steps >> 31);
      all |= number;
      return number;
    });
    const planes = (39 - Math.clz32(all)) >> 3;
    made[to++] = planes | (step > 1 ? STEPS : 0);
    for (let shift = 0; shift < planes * 8; shift += 8)
      for (const number of numbers) made[to++] = number >>> shift;
  }
  return made.slice(0, to);
}
