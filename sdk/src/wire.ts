import { type BatchHeader, anchors } from "./batch.ts";
import { BLANK, type OvertEvent, toRow } from "./event.ts";
import { MESSAGE, MESSAGE_AT, WIRE } from "./generated.ts";

/** Columns on the wire that are differences, and the column of an event they come from. */
const DELTAS: Readonly<Record<string, keyof OvertEvent>> = {
  dseq: "seq",
  dt_us: "t_us",
  dx_8th_css_px: "x_8th_css_px",
  dy_8th_css_px: "y_8th_css_px",
};

/** Bytes from `length` to the next multiple of 8. */
const pad = (length: number): number => -length & 7;
/** Where the columns begin: the template of the message ends. */
const metadata = Uint8Array.from(atob(MESSAGE), (char) => char.charCodeAt(0));

/** JSON in ASCII, as Python writes it. */
function ascii(value: unknown): Uint8Array {
  const text = JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return new TextEncoder().encode(text);
}

function join(header: BatchHeader, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = ascii(header);
  const head = text.length + pad(text.length);
  const bytes = new Uint8Array(8 + head + message.length).fill(0x20, 8, 8 + head);
  bytes.set([0x4f, 0x56, 0x42, 0x31]); // OVB1
  new DataView(bytes.buffer).setUint32(4, head, true);
  bytes.set(text, 8);
  bytes.set(message, 8 + head);
  return bytes;
}

/** One Arrow record-batch message: the template with lengths filled in, then the columns. */
function message(events: readonly OvertEvent[]): Uint8Array {
  const rows = events.length;
  const body = WIRE.reduce((sum, [, width]) => sum + rows * width + pad(rows * width), 0);
  const bytes = new Uint8Array(metadata.length + body);
  bytes.set(metadata);
  const view = new DataView(bytes.buffer);
  const put64 = (at: number, value: number) => view.setUint32(at, value, true);
  put64(MESSAGE_AT.body_length_at, body);
  put64(MESSAGE_AT.rows_at, rows);
  let offset = 0;
  WIRE.forEach(([name, width], index) => {
    const buffer = MESSAGE_AT.buffers_at + 32 * index;
    put64(MESSAGE_AT.nodes_at + 16 * index, rows);
    put64(buffer, offset);
    put64(buffer + 16, offset);
    put64(buffer + 24, rows * width);
    const source = DELTAS[name];
    const column = source ?? (name as keyof OvertEvent);
    let before = events[0]?.[column] ?? 0;
    let at = metadata.length + offset;
    for (const event of events) {
      const value = source ? event[column] - before : event[column];
      before = event[column];
      if (width === 1) view.setInt8(at, value);
      else if (width === 2) view.setInt16(at, value, true);
      else view.setInt32(at, value, true);
      at += width;
    }
    offset += rows * width + pad(rows * width);
  });
  return bytes;
}

/** The batch as uncompressed bytes, the same as `overt.schema.batch.encode`. */
export function encode(header: BatchHeader, events: readonly OvertEvent[]) {
  return join({ ...header, ...anchors(events.map(toRow)) }, message(events));
}

/** Header and events of a batch that this SDK, or `overt.schema.batch.encode`, wrote. */
export function decode(plain: Uint8Array): { header: BatchHeader; events: OvertEvent[] } {
  const length = new DataView(plain.buffer, plain.byteOffset).getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(plain.subarray(8, 8 + length))) as BatchHeader;
  const events = Array.from({ length: header.rows }, () => ({ ...BLANK }));
  const view = new DataView(plain.buffer, plain.byteOffset + 8 + length + metadata.length);
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
