/**
 * The model in the page: what comes next, and after what pause, from the tokens so far.
 *
 * Computes what `overt.models` does, from the JSON of `overt.models.page`; `spec/model.md` has the
 * formulas and `spec/vectors/model.json` what they must give. Nothing here leaves the page.
 */

import { START, type Token } from "./tokens.ts";

/** A float32 array as JSON: base64 of its little-endian bytes. */
interface Packed {
  shape: number[];
  f32: string;
}

/** The JSON of `overt.models.page.page`. */
export interface PageModel {
  model: string;
  sha256: string;
  tokens: string;
  vocabulary: string[];
  mixture: number;
  pause_min_ms: number;
  pause_max_ms: number;
  log_pause_centre: number;
  log_pause_scale: number;
  log_sigma_bounds: [number, number];
  shards: Record<string, Packed>[];
  baselines: {
    unigram: Packed;
    pairs: Packed;
    contexts: number[];
    triples: Packed;
    pause_log_median: Packed;
    next_log_median: Packed;
    all_log_median: number;
  };
}

/** 10 %, 50 % and 90 % quantiles of a pause, in milliseconds. */
export type Quantiles = [number, number, number];

/** One token that may come next. */
export interface Next {
  name: string;
  probability: number;
  /** The pause before it, if it is the one. */
  pause_ms: Quantiles;
}

/** What is expected after the last token. */
export interface Expectation {
  /** Probability of each token of the vocabulary. */
  probability: Float64Array;
  /** The most probable ones, best first. */
  next: Next[];
  /** The pause, whichever token comes. */
  pause_ms: Quantiles;
}

/** What a baseline expects: the most probable token and the median pause before it. */
export interface Guess {
  name: string;
  probability: number;
  pause_ms: number;
}

interface Component {
  weight: number;
  mean: number;
  sigma: number;
}

const SHARES = [0.1, 0.5, 0.9] as const;
const WEIGHT_MIN = 1e-8;
const BISECTIONS = 44;
const SIGMAS = 9;

function unpacked({ f32 }: Packed): Float32Array {
  const bytes = Uint8Array.from(atob(f32), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** matrix (rows × vector.length) · vector + bias. */
function affine(matrix: Float32Array, bias: Float32Array, vector: ArrayLike<number>): Float64Array {
  const width = vector.length;
  return Float64Array.from(bias, (start, row) => {
    let sum = start;
    for (let i = 0; i < width; i++) sum += (matrix[row * width + i] ?? 0) * (vector[i] ?? 0);
    return sum;
  });
}

function softmax(values: ArrayLike<number>): Float64Array {
  const given = Float64Array.from(values);
  const top = given.reduce((a, b) => Math.max(a, b), -Infinity);
  const raised = given.map((value) => Math.exp(value - top));
  const total = raised.reduce((a, b) => a + b, 0);
  return raised.map((value) => value / total);
}

/** Normal distribution function, to 1.2e-7 relative (Numerical Recipes, erfcc). */
function ndtr(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * z);
  const series = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418,
    0.37409196, 1.00002368, -1.26551223,
  ].reduce((sum, factor) => sum * t + factor, 0);
  const tail = (t * Math.exp(-z * z + series)) / 2;
  return x < 0 ? tail : 1 - tail;
}

/** Quantiles of a mixture of log-normals; `mean` and `sigma` are of ln(pause in ms). */
function quantiles(parts: Component[]): Quantiles {
  const sum = (of: Component[]) => of.reduce((total, { weight }) => total + weight, 0);
  const smallest = WEIGHT_MIN * sum(parts);
  const kept = parts.filter(({ weight }) => weight > smallest);
  const total = sum(kept);
  const ends = kept.flatMap(({ mean, sigma }) => [mean - SIGMAS * sigma, mean + SIGMAS * sigma]);
  return SHARES.map((share) => {
    let [low, high] = [Math.min(...ends), Math.max(...ends)];
    for (let round = 0; round < BISECTIONS; round++) {
      const middle = (low + high) / 2;
      let below = 0;
      for (const { weight, mean, sigma } of kept) below += weight * ndtr((middle - mean) / sigma);
      if (below < share * total) low = middle;
      else high = middle;
    }
    return Math.exp((low + high) / 2);
  }) as Quantiles;
}

const MARKS = ["key:space", "key:backspace"];
const FAR = 60;
const LEAN_ALL = 10;
const LEAN_OWN = 2;

/** A sum of ln(ms), and of how many pauses. */
class Sum {
  count = 0;
  private total = 0;

  add(value: number): void {
    this.total += value;
    this.count += 1;
  }

  /** The mean, leaning on a wider one as if `weight` pauses had been that long. */
  mean(wider: number, weight: number): number {
    return (this.total + weight * wider) / (this.count + weight);
  }
}

/** The person's pauses so far: all, by the token they led to, and by the two between. */
class Habits {
  private readonly all = new Sum();
  private readonly led = new Map<number, Sum>();
  private readonly between = new Map<string, Sum>();
  private readonly centre: number;

  constructor(centre: number) {
    this.centre = centre;
  }

  /** Take in a pause, in ln(ms). */
  add(last: number, token: number, value: number): void {
    this.all.add(value);
    of(this.led, token).add(value);
    of(this.between, `${last} ${token}`).add(value);
  }

  /** What `overt.models.stream.habits` says of the pause between two tokens. */
  before(last: number, token: number): number[] {
    const sums = [this.all, of(this.led, token), of(this.between, `${last} ${token}`)];
    let wider = this.centre;
    const beyond = sums.map((sum, i) => {
      const mean = sum.mean(wider, i ? LEAN_OWN : LEAN_ALL);
      const more = mean - wider;
      wider = mean;
      return more;
    });
    return [...beyond, ...sums.map(({ count }) => Math.log1p(count) / 5)];
  }
}

function of<Key>(sums: Map<Key, Sum>, key: Key): Sum {
  const sum = sums.get(key) ?? new Sum();
  sums.set(key, sum);
  return sum;
}

/** One shard: its weights and its state. */
class Shard {
  private readonly weights: Map<string, Float32Array>;
  private state: Float64Array;
  private readonly page: PageModel;

  constructor(page: PageModel, packed: Record<string, Packed>) {
    this.page = page;
    this.weights = new Map(Object.entries(packed).map(([name, array]) => [name, unpacked(array)]));
    this.state = new Float64Array(this.of("recall.bias").length / 3);
  }

  private of(name: string): Float32Array {
    const array = this.weights.get(name);
    if (!array) throw new Error(`model: ${name} is missing`);
    return array;
  }

  private row(name: string, index: number): Float32Array {
    const array = this.of(name);
    const width = array.length / this.page.vocabulary.length;
    return array.subarray(index * width, (index + 1) * width);
  }

  private linear(name: string, vector: ArrayLike<number>): Float64Array {
    return affine(this.of(`${name}.weight`), this.of(`${name}.bias`), vector);
  }

  step(token: number, numbers: readonly number[]): void {
    const size = this.state.length;
    const inputs = this.linear("gates", [...this.row("embed.weight", token), ...numbers]);
    const recall = this.linear("recall", this.state);
    const at = (array: Float64Array, gate: number, i: number) => array[gate * size + i] ?? 0;
    this.state = this.state.map((before, i) => {
      const reset = sigmoid(at(inputs, 0, i) + at(recall, 0, i));
      const update = sigmoid(at(inputs, 1, i) + at(recall, 1, i));
      const fresh = Math.tanh(at(inputs, 2, i) + reset * at(recall, 2, i));
      return fresh + update * (before - fresh);
    });
  }

  tokens(): Float64Array {
    return softmax(this.linear("token", this.state));
  }

  /** The mixture of the pause before each token that may come, by the person's habits before it. */
  pauses(habits: readonly number[][]): Component[][] {
    const { mixture, log_pause_centre, log_sigma_bounds, vocabulary } = this.page;
    const [lowest, highest] = log_sigma_bounds;
    const base = this.linear("pause_state", this.state);
    return vocabulary.map((_, token) => {
      const habit = habits[token] ?? [];
      const pace = (habit[0] ?? 0) + (habit[1] ?? 0) + (habit[2] ?? 0);
      const own = affine(
        this.of("pause_habit.weight"),
        this.row("pause_next.weight", token),
        habit,
      );
      const out = this.linear(
        "pause_out",
        base.map((value, i) => Math.tanh(value + (own[i] ?? 0))),
      );
      return Array.from(softmax(out.subarray(0, mixture)), (weight, k) => ({
        weight,
        mean: (out[mixture + k] ?? 0) + pace + log_pause_centre,
        sigma: Math.exp(Math.min(Math.max(out[2 * mixture + k] ?? 0, lowest), highest)),
      }));
    });
  }
}

/** The whole model: the mean over its shards. */
export class Model {
  private readonly page: PageModel;
  private readonly shards: Shard[];
  private readonly habits: Habits;
  private readonly marks: number[];
  private readonly since: number[];
  private last = START;

  constructor(page: PageModel) {
    this.page = page;
    this.habits = new Habits(page.log_pause_centre);
    this.marks = [START, ...MARKS.map((name) => page.vocabulary.indexOf(name))];
    this.since = this.marks.map(() => FAR);
    this.shards = page.shards.map((packed) => new Shard(page, packed));
  }

  /** Take in one token, and say what is expected next; `count` tokens are listed. */
  step(token: Token, count = 3): Expectation {
    const numbers = this.numbers(token);
    for (const shard of this.shards) shard.step(token.token, numbers);
    this.last = token.token;
    const shares = this.shards.map((shard) => shard.tokens());
    const habits = this.page.vocabulary.map((_, next) => this.habits.before(token.token, next));
    const pauses = this.shards.map((shard) => shard.pauses(habits));
    const probability = new Float64Array(this.page.vocabulary.length).map(
      (_, i) => shares.reduce((sum, share) => sum + (share[i] ?? 0), 0) / shares.length,
    );
    const before = (i: number): Component[] =>
      pauses.flatMap((pause, shard) =>
        (pause[i] ?? []).map((part) => ({
          ...part,
          weight: (part.weight * (shares[shard]?.[i] ?? 0)) / shares.length,
        })),
      );
    const order = [...probability.keys()].sort(
      (a, b) => (probability[b] ?? 0) - (probability[a] ?? 0),
    );
    return {
      probability,
      next: order.slice(0, count).map((i) => ({
        name: this.page.vocabulary[i] ?? "",
        probability: probability[i] ?? 0,
        pause_ms: quantiles(before(i)),
      })),
      pause_ms: quantiles(order.flatMap(before)),
    };
  }

  private numbers({ token, pause_us, hold_us, rollover }: Token): number[] {
    const { pause_min_ms, pause_max_ms, log_pause_centre, log_pause_scale } = this.page;
    const log = (us: number) =>
      Math.log(Math.min(Math.max(us / 1000, pause_min_ms), pause_max_ms));
    const scaled = (us: number) => (log(us) - log_pause_centre) / log_pause_scale;
    const timed = token !== START && this.last !== START;
    const own = token === START ? [0, 0, 0] : this.habits.before(this.last, token).slice(0, 3);
    const pace = own.reduce((a, b) => a + b, log_pause_centre);
    if (timed) this.habits.add(this.last, token, log(pause_us));
    this.marks.forEach((mark, i) => {
      this.since[i] = token === mark ? 0 : Math.min((this.since[i] ?? 0) + 1, FAR);
    });
    return [
      timed ? scaled(pause_us) : 0,
      timed ? 1 : 0,
      hold_us >= 0 ? scaled(hold_us) : 0,
      hold_us >= 0 ? 1 : 0,
      rollover,
      timed ? (log(pause_us) - pace) / log_pause_scale : 0,
      (own[0] ?? 0) / log_pause_scale,
      ...this.since.map((back) => Math.log1p(back) / 2),
    ];
  }
}

/** The baselines of the page, from the same tables. */
export class Baselines {
  private readonly vocabulary: string[];
  private readonly unigram: Float32Array;
  private readonly pairs: Float32Array;
  private readonly triples: Float32Array;
  private readonly contexts: Map<number, number>;
  private readonly pairMedian: Float32Array;
  private readonly nextMedian: Float32Array;
  private readonly allMedian: number;
  private last: number;

  constructor({ vocabulary, baselines }: PageModel) {
    this.vocabulary = vocabulary;
    this.unigram = unpacked(baselines.unigram);
    this.pairs = unpacked(baselines.pairs);
    this.triples = unpacked(baselines.triples);
    this.contexts = new Map(baselines.contexts.map((context, row) => [context, row]));
    this.pairMedian = unpacked(baselines.pause_log_median);
    this.nextMedian = unpacked(baselines.next_log_median);
    this.allMedian = baselines.all_log_median;
    this.last = vocabulary.length;
  }

  /** Take in one token, and say what each baseline expects next. */
  step({ token }: Token): Record<"most frequent" | "Markov-2" | "digraph", Guess> {
    const size = this.vocabulary.length;
    const row = this.contexts.get(this.last * size + token);
    this.last = token;
    const ofPair = this.pairs.subarray(token * size, (token + 1) * size);
    const ofTriple = row === undefined ? ofPair : this.triples.subarray(row * size, (row + 1) * size);
    return {
      "most frequent": this.guess(this.unigram, () => this.allMedian),
      "Markov-2": this.guess(ofTriple, (next) => this.nextMedian[next] ?? 0),
      digraph: this.guess(ofPair, (next) => this.pairMedian[token * size + next] ?? 0),
    };
  }

  private guess(probability: Float32Array, logMedian: (token: number) => number): Guess {
    const next = probability.reduce((best, p, i) => (p > (probability[best] ?? 0) ? i : best), 0);
    return {
      name: this.vocabulary[next] ?? "",
      probability: probability[next] ?? 0,
      pause_ms: Math.exp(logMedian(next)),
    };
  }
}
