import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Expected, standing } from "../src/expected.ts";

type Taught = [before: string[], word: string];

interface Case {
  name: string;
  given: string[];
  after?: Record<string, string[]>;
  taught: Taught[];
  slips: Taught[];
  asked: [text: string, at: number, standing: [string[], string] | null, expected: string[]][];
}

const file = new URL("../../spec/vectors/text.json", import.meta.url);
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(file, "utf8"));

for (const { name, given, after, taught, slips, asked } of cases)
  test(`what comes next: ${name}`, () => {
    const expected = new Expected(given, after);
    for (const [before, word] of taught) expected.learn(before, word);
    for (const [before, word] of slips) expected.unlearn(before, word);
    for (const [text, at, wanted, words] of asked) {
      const place = standing(text, at);
      assert.deepEqual(place && [place.before, place.prefix], wanted);
      assert.deepEqual(place ? expected.expect(place) : [], words);
    }
    expected.forget();
    assert.deepEqual(expected.expect({ before: [], prefix: "" }, given.length), [...new Set(given)]);
  });
