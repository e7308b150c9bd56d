import { BLANK, type OvertEvent } from "./event.ts";
import {
  BATCH_ROWS_MAX,
  DT_US_MAX,
  DT_US_MIN,
  MESSAGE,
  MESSAGE_AT,
  POSITION_8TH_MAX,
  WIRE,
} from "./generated.ts";

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

/** Columns on the wire that are differences, and the column of an event they come from. */
export const DELTAS: Readonly<Record<string, keyof OvertEvent>> = {
  dseq: "seq",
  dt_us: "t_us",
  dx_8th_css_px: "x_8th_css_px",
  dy_8th_css_px: "y_8th_css_px",
};

/** Bytes from `length` to the next multiple of 8. */
export const pad = (length: number): number => -length & 7;
/** Where the columns begin: the template of the message ends. */
export const metadata = Uint8Array.from(atob(MESSAGE), (char) => char.charCodeAt(0));

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

/** JSON in ASCII, as Python writes it. */
export function ascii(value: unknown): Uint8Array {
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
  return join({ ...header, ...anchors(events) }, message(events));
}

/** The same rows under a changed header. */
export function reheaded(plain: Uint8Array, change: Partial<BatchHeader>) {
  const { header, offset } = readHeader(plain);
  return join({ ...header, ...change }, plain.subarray(offset));
}

/** The header of a batch that this SDK, or `overt.schema.batch.encode`, wrote; where it ends. */
export function readHeader(plain: Uint8Array): { header: BatchHeader; offset: number } {
  const length = new DataView(plain.buffer, plain.byteOffset).getUint32(4, true);
  const text = new TextDecoder().decode(plain.subarray(8, 8 + length));
  return { header: JSON.parse(text) as BatchHeader, offset: 8 + length };
}
