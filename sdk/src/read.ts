import { BLANK, type OvertEvent } from "./event.ts";
import { WIRE } from "./generated.ts";
import { type BatchHeader, DELTAS, metadata, pad, readHeader } from "./wire.ts";

/** Header and events of a batch that this SDK, or `overt.schema.batch.encode`, wrote. */
export function decode(plain: Uint8Array): { header: BatchHeader; events: OvertEvent[] } {
  const { header, offset } = readHeader(plain);
  const events = Array.from({ length: header.rows }, () => ({ ...BLANK }));
  const view = new DataView(plain.buffer, plain.byteOffset + offset + metadata.length);
  const start: Partial<OvertEvent> = {
    seq: header.first_seq,
    t_us: header.t0_us,
    x_8th_css_px: header.x0_8th_css_px,
    y_8th_css_px: header.y0_8th_css_px,
  };
  let at = 0;
  for (const [name, width] of WIRE) {
    const source = DELTAS[name];
    const column = source ?? (name as keyof OvertEvent);
    let running = source ? (start[source] ?? 0) : 0;
    for (const event of events) {
      const value =
        width === 1 ? view.getInt8(at) : width === 2 ? view.getInt16(at, true) : view.getInt32(at, true);
      event[column] = source ? (running += value) : value;
      at += width;
    }
    at += pad(header.rows * width);
  }
  return { header, events };
}
