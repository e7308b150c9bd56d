import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Correction, inCaseOf, Own, plain, Watch } from "../src/typos.ts";

type Told = [slip: string, put: string, matched: string, start: number] | null;

interface Case {
  name: string;
  given: string[];
  others?: string[];
  states: string[];
  seen: [word: string, correction: Told][];
  leave: boolean;
  left: Told;
  then: ["accept" | "refuse", string, string][];
  hints: [token: string, hint: [put: string, why: string] | null][];
}

const file = new URL("../../spec/vectors/typos.json", import.meta.url);
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(file, "utf8"));

function told(correction: Correction | null): Told {
  return correction && [correction.slip, correction.put, correction.matched, correction.start];
}

for (const { name, given, others, states, seen, leave, left, then, hints } of cases)
  test(`own corrections: ${name}`, () => {
    const watch = new Watch();
    const own = new Own(given);
    own.knows(others ?? []);
    states.forEach((text, at) => {
      const { correction, word } = watch.change(text);
      assert.deepEqual([word, told(correction)], seen[at]);
      own.word(word);
      if (correction) own.correct(correction);
    });
    if (leave) {
      const correction = watch.leave();
      assert.deepEqual(told(correction), left);
      if (correction) own.correct(correction);
    }
    for (const [what, slip, put] of then) own[what](slip, put);
    for (const [token, wanted] of hints) {
      own.word(plain(token));
      const hint = own.hint(token);
      assert.deepEqual(hint && [hint.put, hint.why], wanted);
    }
  });

test("what was learned is forgotten when asked", () => {
  const own = new Own();
  own.accept("teh", "the");
  assert.deepEqual(own.hint("teh"), { put: "the", why: "again" });
  own.forget();
  assert.equal(own.hint("teh"), null);
});

test("a word is put in the case of the slip", () => {
  assert.deepEqual(
    ["teh", "Teh", "TEH"].map((slip) => inCaseOf(slip, "the")),
    ["the", "The", "THE"],
  );
});
