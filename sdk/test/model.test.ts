import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Baselines, Model, type PageModel } from "../../src/overt/studio/web/model.ts";
import { START, type Token, Tokens } from "../../src/overt/studio/web/tokens.ts";
import { BLANK, type OvertEvent } from "../src/event.ts";

interface Vectors {
  page: PageModel;
  events: Record<string, number[]>;
  tokens: { token: number[]; pause_us: number[]; hold_us: number[]; rollover: number[] };
  expected: { probability: number[]; top: string; top_pause_ms: number[]; pause_ms: number[] }[];
  guesses: Record<string, [string, number]>[];
}

const file = new URL("../../spec/vectors/model.json", import.meta.url);
const { page, events, tokens, expected, guesses }: Vectors = JSON.parse(
  readFileSync(file, "utf8"),
);

const given: OvertEvent[] = (events["kind"] ?? []).map((_, i) => ({
  ...BLANK,
  ...Object.fromEntries(Object.entries(events).map(([name, column]) => [name, column[i] ?? 0])),
}));
const sequence: Token[] = tokens.token.map((token, i) => ({
  token,
  pause_us: tokens.pause_us[i] ?? 0,
  hold_us: tokens.hold_us[i] ?? 0,
  rollover: tokens.rollover[i] ?? 0,
}));

function near(found: number, wanted: number, relative: number): void {
  const off = Math.abs(found - wanted) / Math.max(Math.abs(wanted), 1);
  assert.ok(off <= relative, `${found} is not ${wanted}`);
}

test("the page makes the same tokens of events as training does", () => {
  const maker = new Tokens(page.vocabulary);
  assert.deepEqual(given.flatMap((event) => maker.push(event)), sequence);
});

test("the page expects what the trained model expects, to 1e-5", () => {
  const model = new Model(page);
  assert.equal(sequence.length, expected.length);
  sequence.forEach((token, i) => {
    const wanted = expected[i];
    assert.ok(wanted);
    const found = model.step(token, 1);
    wanted.probability.forEach((p, j) => near(found.probability[j] ?? -1, p, 1e-5));
    assert.equal(found.next[0]?.name, wanted.top);
    wanted.top_pause_ms.forEach((ms, j) => near(found.next[0]?.pause_ms[j] ?? -1, ms, 1e-5));
    wanted.pause_ms.forEach((ms, j) => near(found.pause_ms[j] ?? -1, ms, 1e-5));
  });
});

test("the page's baselines find the same token most probable as the tables do", () => {
  const naive = new Baselines(page);
  const made = sequence.map((token) => naive.step(token));
  const followed = made.filter((_, i) => i + 1 < sequence.length && sequence[i + 1]?.token !== START);
  assert.equal(followed.length, guesses.length);
  followed.forEach((found, i) => {
    for (const [name, [token, probability]] of Object.entries(guesses[i] ?? {})) {
      const guess = found[name as keyof typeof found];
      near(guess.probability, probability, 1e-6);
      assert.equal(guess.name, token, name);
      assert.ok(guess.pause_ms >= page.pause_min_ms && guess.pause_ms <= page.pause_max_ms);
    }
  });
});
