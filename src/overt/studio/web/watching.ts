/** The model at work on this person, in the page alone: what it expected, and what came. */

import { Baselines, type Expectation, Model, type PageModel } from "./model.ts";
import { START, type Token, Tokens } from "./tokens.ts";
import type { OvertEvent } from "../../../../sdk/src/index.ts";

/** Who guesses: the model first, then the naive ones. */
export const GUESSERS = ["model", "Markov-2", "most frequent", "digraph"] as const;
export type Guesser = (typeof GUESSERS)[number];

interface Guess {
  name: string;
  pause_ms: number;
}

/** How one guesser has done so far. */
export interface Score {
  right: number;
  /** Running share of right guesses, one value an event. */
  shares: number[];
  /** Absolute errors of the pause, ms. */
  off_ms: number[];
}

const SHARES_MAX = 2000;

export class Watching {
  readonly scores = new Map<Guesser, Score>(
    GUESSERS.map((name) => [name, { right: 0, shares: [], off_ms: [] }]),
  );
  seen = 0;
  private readonly vocabulary: readonly string[];
  private readonly tokens: Tokens;
  private readonly model: Model;
  private readonly baselines: Baselines;
  private guesses: Map<Guesser, Guess> | null = null;

  constructor(page: PageModel) {
    this.vocabulary = page.vocabulary;
    this.tokens = new Tokens(page.vocabulary);
    this.model = new Model(page);
    this.baselines = new Baselines(page);
  }

  /** Take in one event; returns what is expected next if it was one that the model reads. */
  push(event: OvertEvent): Expectation | null {
    let expected: Expectation | null = null;
    for (const token of this.tokens.push(event)) {
      if (token.token !== START) this.judge(token);
      expected = this.model.step(token, 5);
      const naive = this.baselines.step(token);
      const best = expected.next[0];
      this.guesses = new Map<Guesser, Guess>([
        ["model", { name: best?.name ?? "", pause_ms: expected.pause_ms[1] }],
        ["Markov-2", naive["Markov-2"]],
        ["most frequent", naive["most frequent"]],
        ["digraph", naive.digraph],
      ]);
    }
    return expected;
  }

  private judge({ token, pause_us }: Token): void {
    if (!this.guesses) return;
    this.seen += 1;
    for (const [name, guess] of this.guesses) {
      const score = this.scores.get(name)!;
      if (guess.name === this.vocabulary[token]) score.right += 1;
      if (score.shares.length < SHARES_MAX) score.shares.push(score.right / this.seen);
      score.off_ms.push(Math.abs(guess.pause_ms - pause_us / 1000));
    }
  }
}

/** The middle of some values, or null if there are none. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}
