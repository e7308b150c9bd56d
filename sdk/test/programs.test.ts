import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { traceOf, windowOf } from "../../src/overt/studio/web/motion.ts";
import { Judge, type PageModel } from "../../src/overt/studio/web/verdict.ts";

interface Vectors {
  page: PageModel;
  windows: {
    samples: [number, number, number][];
    numbers: (number | null)[];
    said: string;
    odds: number;
    as_person: number;
    as_program: number;
  }[];
}

const file = new URL("../../spec/vectors/programs.json", import.meta.url);
const { page, windows }: Vectors = JSON.parse(readFileSync(file, "utf8"));

function near(found: number, wanted: number, where: string): void {
  const off = Math.abs(found - wanted) / Math.max(Math.abs(wanted), 1);
  assert.ok(off <= 1e-6, `${where}: ${found} is not ${wanted}`);
}

test("the page takes the same numbers of a movement as training does", () => {
  for (const [place, { samples, numbers }] of windows.entries()) {
    const found = windowOf(traceOf(samples));
    assert.equal(found.length, numbers.length);
    numbers.forEach((wanted, i) => {
      if (wanted === null) assert.ok(Number.isNaN(found[i]), `${page.names[i]} of ${place}`);
      else near(found[i] ?? Number.NaN, wanted, `${page.names[i]} of window ${place}`);
    });
  }
});

test("the page says of a movement what Python says", () => {
  const judge = new Judge(page);
  for (const { samples, said, odds, as_person, as_program } of windows) {
    const verdict = judge.of(windowOf(traceOf(samples)));
    assert.equal(verdict.said, said);
    near(verdict.odds, odds, "odds");
    near(verdict.asPerson, as_person, "as a person");
    near(verdict.asProgram, as_program, "as a program");
    assert.ok(verdict.low <= verdict.odds && verdict.odds <= verdict.high);
  }
});
