/**
 * What one person's own words say comes next, after `spec/text.md`: the same as
 * `overt.models.text.own` in Python, held to it by `spec/vectors/text.json`. In memory only.
 */

import { before as order, isWordLetter, plain } from "./typos.ts";

const BACK = 2;
const WORDS_MAX = 5000;
const LEARNED_MAX = 50_000;
const OFFERED = 3;
const ENDS = ".!?\n";

type Counts = Map<string, number>;

/** Where a caret stands: the words before it in its sentence, and what of a word has begun. */
export interface Standing {
  before: string[];
  prefix: string;
}

function wordStart(text: string, end: number): number {
  let at = end;
  while (at && isWordLetter(text[at - 1]!)) at -= 1;
  return at;
}

/** Where the caret at `at` stands, or null inside a word. */
export function standing(text: string, at: number): Standing | null {
  if (at < text.length && isWordLetter(text[at]!)) return null;
  let start = wordStart(text, at);
  const prefix = plain(text.slice(start, at));
  const before: string[] = [];
  while (before.length < BACK) {
    let end = start;
    while (end && !isWordLetter(text[end - 1]!) && !ENDS.includes(text[end - 1]!)) end -= 1;
    if (!end || ENDS.includes(text[end - 1]!)) break;
    start = wordStart(text, end);
    const word = plain(text.slice(start, end));
    if (word) before.unshift(word);
  }
  return { before, prefix };
}

/** What stood before as keys, the shortest first. */
function contexts(before: readonly string[]): string[] {
  const found = [""];
  for (let back = 1; back <= Math.min(BACK, before.length); back++)
    found.push(before.slice(-back).join(" "));
  return found;
}

/** What others write after a word, the most common first. */
export type After = Readonly<Record<string, readonly string[]>>;

/** What one person's finished words taught, beside what is known from the start. */
export class Expected {
  learned = 0;
  private readonly counts = new Map<string, Counts>();
  /** The words known from the start, with their places. */
  private rank = new Map<string, number>();
  private after: After = {};

  constructor(given: readonly string[] = [], after: After = {}) {
    this.knows(given, after);
  }

  /** Words that are known from the start, the most common first, and what follows which. */
  knows(given: readonly string[], after: After): void {
    this.rank = new Map([...new Set(given.map(plain))].map((word, at) => [word, at]));
    this.after = after;
  }

  forget(): void {
    this.counts.clear();
    this.learned = 0;
  }

  /** Count a word that was finished after others. */
  learn(before: readonly string[], word: string): void {
    const all = this.seen("");
    if (!word || this.learned >= LEARNED_MAX) return;
    if (!all.has(word) && all.size >= WORDS_MAX) return;
    this.learned += 1;
    for (const context of contexts(before)) {
      const counts = this.seen(context);
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }

  /** Take back one count of a word that turned out to be a slip. */
  unlearn(before: readonly string[], word: string): void {
    for (const context of contexts(before)) {
      const counts = this.seen(context);
      const left = (counts.get(word) ?? 0) - 1;
      if (left > 0) counts.set(word, left);
      else counts.delete(word);
    }
  }

  /** The words that are expected to begin with a prefix after others, best first. */
  expect({ before, prefix }: Standing, count = OFFERED): string[] {
    const seen = contexts(before).map((context) => this.counts.get(context));
    const last = before.at(-1);
    const follows = last && Object.hasOwn(this.after, last) ? this.after[last]! : [];
    const fits = (word: string): boolean => word.length > prefix.length && word.startsWith(prefix);
    const [all, ...after] = seen;
    const key = (word: string): number[] => [
      ...after.map((counts) => -(counts?.get(word) ?? 0)).reverse(),
      follows.includes(word) ? follows.indexOf(word) : follows.length,
      -(all?.get(word) ?? 0),
      this.rank.get(word) ?? this.rank.size,
    ];
    const own = seen.flatMap((counts) => [...(counts?.keys() ?? [])]);
    const found = new Set(
      [...new Set([...own, ...follows])]
        .filter(fits)
        .map((word) => ({ word, key: key(word) }))
        .sort((a, b) => {
          const at = a.key.findIndex((value, place) => value !== b.key[place]);
          return at < 0 ? order(a.word, b.word) : a.key[at]! - b.key[at]!;
        })
        .map(({ word }) => word),
    );
    for (const word of this.rank.keys()) {
      if (found.size >= count) break;
      if (fits(word)) found.add(word);
    }
    return [...found].slice(0, count);
  }

  private seen(context: string): Counts {
    const found = this.counts.get(context) ?? new Map<string, number>();
    this.counts.set(context, found);
    return found;
  }
}
