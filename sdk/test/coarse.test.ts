import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { coarse } from "../src/coarse.ts";

const { cases } = JSON.parse(
  readFileSync(new URL("../../spec/vectors/coarse.json", import.meta.url), "utf8"),
) as { cases: { case: string; event: Record<string, number>; kept: Record<string, number> | null }[] };

for (const { case: name, event, kept } of cases)
  test(`rhythm/1: ${name}`, () => {
    const { kind = 0, t_us = 0, ...facts } = event;
    const made = coarse(kind, t_us, facts);
    if (!kept) return assert.equal(made, null);
    const { t_us: at, ...rest } = kept;
    assert.equal(made?.[0], at);
    assert.deepEqual(made?.[1], {
      ...facts,
      ...rest,
      slot: 0,
      modifiers: 0,
      key_symbol: 0,
    });
  });
