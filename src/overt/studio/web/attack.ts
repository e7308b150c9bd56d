/**
 * Re-identification by typing profile, run in the page so that raw keys need not leave it.
 *
 * A profile holds, per key and per pair of keys, the mean and spread of log hold and log down-down
 * times. The distance is scaled Manhattan (Killourhy & Maxion, DSN 2009) over features both sides
 * have, weighted by the smaller count. The attacker sees the same representation on both sides: at
 * `rhythm` keys are replaced by their class everywhere, which is the attack to fear.
 */

import { coarse } from "../../../../sdk/src/coarse.ts";
import { Kind } from "../../../../sdk/src/generated.ts";

/** One key press: which key (code point), its class (KeyClass), when it went down and up, µs. */
export interface Press {
  symbol: number;
  keyClass: number;
  down_us: number;
  up_us: number;
}

/** `coarse` is `rhythm/1`: no releases, no modifier keys, whole seconds. */
export type View = "raw" | "rhythm" | "coarse";

interface Feature {
  n: number;
  mean: number;
  spread: number;
}

type Profile = Map<string, Feature>;

export interface Outcome {
  /** 1 is recognised at once. */
  rank: number;
  among: number;
  /** Distance of the probe to each known person; the first is the person themself. */
  distances: number[];
  /** How many of the others the same attack recognises at once. */
  othersFound: number;
}

/** Fewest presses a half needs before a comparison says anything. */
export const PRESSES_MIN = 50;
const PAIR_GAP_US_MAX = 1_500_000;
const SAMPLES_MIN = 2;
const SPREAD_FLOOR = 0.08;

/** What `rhythm/1` keeps of presses, as `overt.schema.coarse` has it. */
function coarsened(presses: readonly Press[]): Press[] {
  return presses.flatMap(({ symbol, keyClass, down_us }) => {
    const seen = coarse(Kind.KEY_DOWN, down_us, { key_class: keyClass });
    if (!seen) return [];
    return [{ symbol, keyClass: seen[1].key_class ?? 0, down_us: seen[0], up_us: 0 }];
  });
}

function samples(all: readonly Press[], view: View): Map<string, number[]> {
  const presses = view === "coarse" ? coarsened(all) : all;
  const gap_us_min = view === "coarse" ? 0 : 1;
  const found = new Map<string, number[]>();
  const note = (name: string, value_us: number): void => {
    const list = found.get(name);
    const value = Math.log(Math.max(value_us, 1000));
    if (list) list.push(value);
    else found.set(name, [value]);
  };
  const id = (press: Press): number => (view === "raw" ? press.symbol : press.keyClass);
  presses.forEach((press, place) => {
    if (press.up_us > press.down_us) note(`h${id(press)}`, press.up_us - press.down_us);
    const before = presses[place - 1];
    if (!before) return;
    const gap_us = press.down_us - before.down_us;
    if (gap_us >= gap_us_min && gap_us < PAIR_GAP_US_MAX) note(`d${id(before)}>${id(press)}`, gap_us);
  });
  return found;
}

function profile(presses: readonly Press[], view: View): Profile {
  const made: Profile = new Map();
  for (const [name, values] of samples(presses, view)) {
    if (values.length < SAMPLES_MIN) continue;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const off = values.reduce((sum, value) => sum + Math.abs(value - mean), 0) / values.length;
    made.set(name, { n: values.length, mean, spread: Math.max(off, SPREAD_FLOOR) });
  }
  return made;
}

/** Scaled Manhattan distance of a probe to a known profile; infinite if they share nothing. */
function distance(known: Profile, probe: Profile): number {
  let sum = 0;
  let weights = 0;
  for (const [name, feature] of probe) {
    const reference = known.get(name);
    if (!reference) continue;
    const weight = Math.sqrt(Math.min(feature.n, reference.n));
    sum += (weight * Math.abs(feature.mean - reference.mean)) / reference.spread;
    weights += weight;
  }
  return weights ? sum / weights : Number.POSITIVE_INFINITY;
}

function halves(presses: readonly Press[]): [readonly Press[], readonly Press[]] {
  const middle = presses.length >> 1;
  return [presses.slice(0, middle), presses.slice(middle)];
}

function rankOf(own: number, all: readonly number[]): number {
  return all[own] === undefined ? all.length : all.filter((d) => d < all[own]!).length + 1;
}

/**
 * Enrol everyone on the first half, probe with second halves; everybody gets as many presses as
 * `mine` has, so that the others are neither easier nor harder to find.
 */
export function recognise(
  mine: readonly Press[],
  others: readonly (readonly Press[])[],
  view: View,
): Outcome {
  const everyone = [mine, ...others.map((person) => person.slice(0, mine.length))].map(halves);
  const known = everyone.map(([first]) => profile(first, view));
  const ranks = everyone.map(([, second], own) => {
    const probe = profile(second, view);
    const all = known.map((reference) => distance(reference, probe));
    return { rank: rankOf(own, all), all };
  });
  return {
    rank: ranks[0]!.rank,
    among: everyone.length,
    distances: ranks[0]!.all,
    othersFound: ranks.slice(1).filter((result) => result.rank === 1).length,
  };
}
