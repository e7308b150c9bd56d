import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { type BatchHeader, cut } from "../src/batch.ts";
import { BLANK, COLUMNS, type OvertEvent, fromRow, toRow } from "../src/event.ts";
import { ORDER, folded } from "../src/fold.ts";
import { DT_US_MAX, WIRE } from "../src/generated.ts";
import { decode, encode } from "../src/wire.ts";

interface Vector {
  what: string;
  header: BatchHeader;
  events: OvertEvent[];
  bytes: string;
  folded: string;
}

const folder = new URL("../../spec/vectors/", import.meta.url);
const vectors = readdirSync(folder)
  .filter((name) => name.startsWith("batch-"))
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Vector);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("there are vectors to read", () => assert.ok(vectors.length >= 4));

for (const { what, header, events, bytes, folded: short } of vectors) {
  test(`they fold as in Python: ${what}`, () => {
    assert.equal(hex(folded(header, events.map(toRow))), short);
  });
  test(`bytes equal those of the Python writer: ${what}`, () => {
    assert.equal(hex(encode(header, events)), bytes);
  });
  test(`the bytes are read back as they were: ${what}`, () => {
    const read = decode(Uint8Array.from(Buffer.from(bytes, "hex")));
    assert.deepEqual(read, { header, events });
  });
}

function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

function walk(length: number, seed: number): OvertEvent[] {
  const next = random(seed);
  let last = BLANK;
  return Array.from({ length }, (_, index) => {
    const far = next() > 0.98 ? 2 ** 18 : 400;
    last = {
      ...BLANK,
      seq: last.seq + (index ? 1 + Math.floor(next() ** 9 * 70_000) : 0),
      t_us: last.t_us + Math.floor(next() * 9000) - 500 + (next() > 0.99 ? DT_US_MAX : 0),
      kind: 6,
      pointer: 1,
      x_8th_css_px: Math.floor((next() - 0.5) * far),
      y_8th_css_px: Math.floor((next() - 0.5) * far),
    };
    return last;
  });
}

test("cutting loses nothing, keeps order, and every run survives its bytes", () => {
  const header = (vectors[0] as Vector).header;
  for (let seed = 1; seed < 12; seed += 1) {
    const rows = walk(700, seed).map(toRow);
    const runs = cut(rows, 200);
    assert.deepEqual(runs.flat(), rows);
    assert.ok(runs.length > 4 && runs.every((run) => run.length > 0 && run.length <= 200));
    for (const run of runs) {
      const events = run.map(fromRow);
      assert.deepEqual(decode(encode(header, events)).events, events);
    }
  }
});

test("a row of the journal is the event", () => {
  for (const event of walk(20, 5)) assert.deepEqual(fromRow(toRow(event)), event);
});

test("columns are folded in the order of the schema", () => {
  const wire = WIRE.map(([name]) => name.replace(/^d(?=seq|t_us|[xy]_)/, ""));
  assert.deepEqual(ORDER.map((column) => COLUMNS[column]), wire);
});

test("an independent Arrow implementation reads the rows", async (context) => {
  const arrow = await import("apache-arrow").catch(() => null);
  if (!arrow) return context.skip("apache-arrow is not installed (npm ci in sdk/)");
  const { Field, Int8, Int16, Int32, RecordBatchReader, Schema } = arrow;
  const types = { 1: new Int8(), 2: new Int16(), 4: new Int32() };
  const schema = new Schema(WIRE.map(([name, width]) => new Field(name, types[width], false)));
  const empty = arrow.tableToIPC(new arrow.Table(schema), "stream");
  const end = empty.length - 8; // without the end-of-stream mark
  for (const { header, events, bytes } of vectors) {
    const plain = Buffer.from(bytes, "hex");
    const rows = plain.subarray(8 + plain.readUInt32LE(4));
    const reader = RecordBatchReader.from(Buffer.concat([empty.subarray(0, end), rows]));
    const [batch] = [...reader];
    assert.equal(batch?.numRows, header.rows);
    assert.deepEqual([...(batch?.getChild("kind") ?? [])], events.map((event) => event.kind));
    const value = [...(batch?.getChild("value") ?? [])];
    assert.deepEqual(value, events.map((event) => event.value));
    const dt_us = [...(batch?.getChild("dt_us") ?? [])] as number[];
    const sums = dt_us.map((_, index) => dt_us.slice(0, index + 1).reduce((a, b) => a + b));
    assert.deepEqual(sums, events.map((event) => event.t_us - header.t0_us));
  }
});
