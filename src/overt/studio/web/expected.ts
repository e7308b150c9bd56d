/**
 * What one person's own words say comes next, after `spec/text.md`: the same as
 * `overt.models.text.own` in Python, held to it by `spec/vectors/text.json`. In memory only.
 */

import { before as order, isWordLetter, plain } from "./own.ts";

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

/** What one person's finished words taught, beside words that are known from the start. */
export class Expected {
  learned = 0;
  private readonly counts = new Map<string, Counts>();
  private readonly rank = new Map<string, number>();

  constructor(given: readonly string[] = []) {
    for (const word of given.map(plain)) if (!this.rank.has(word)) this.rank.set(word, this.rank.size);
  }

  forget(): void {
    this.counts.clear();
    this.learned = 0;
  }

  /** Count a word that was finished after others. */
  learn(before: readonly string[], word: string): void {
    const all = this.after("");
    if (!word || this.learned >= LEARNED_MAX) return;
    if (!all.has(word) && all.size >= WORDS_MAX) return;
    this.learned += 1;
    for (const context of contexts(before)) {
      const counts = this.after(context);
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }

  /** Take back one count of a word that turned out to be a slip. */
  unlearn(before: readonly string[], word: string): void {
    for (const context of contexts(before)) {
      const counts = this.after(context);
      const left = (counts.get(word) ?? 0) - 1;
      if (left > 0) counts.set(word, left);
      else counts.delete(word);
    }
  }

  /** The words that are expected to begin with a prefix after others, best first. */
  expect({ before, prefix }: Standing, count = OFFERED): string[] {
    const seen = contexts(before).map((context) => this.counts.get(context)).reverse();
    const last = this.rank.size;
    const key = (word: string): number[] => [
      ...seen.map((counts) => -(counts?.get(word) ?? 0)),
      this.rank.get(word) ?? last,
    ];
    const known = new Set([...this.rank.keys(), ...(this.counts.get("")?.keys() ?? [])]);
    return [...known]
      .filter((word) => word.length > prefix.length && word.startsWith(prefix))
      .map((word) => ({ word, key: key(word) }))
      .sort((a, b) => {
        const at = a.key.findIndex((value, place) => value !== b.key[place]);
        return at < 0 ? order(a.word, b.word) : a.key[at]! - b.key[at]!;
      })
      .slice(0, count)
      .map(({ word }) => word);
  }

  private after(context: string): Counts {
    const found = this.counts.get(context) ?? new Map<string, number>();
    this.counts.set(context, found);
    return found;
  }
}
