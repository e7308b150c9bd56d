/** Step 4: train on what is there, and watch what the model expects. */

import type { Overt, Watched } from "../../../../sdk/src/index.ts";
import { make } from "../../../../sdk/src/make.ts";
import { answer, follow } from "./api.ts";
import { shares } from "./chart.ts";
import { at, busy, byTest, row } from "./dom.ts";
import type { Expectation, PageModel } from "./model.ts";
import { GUESSERS, Watching, median } from "./watching.ts";

interface Figure {
  value: number | null;
  low: number | null;
  high: number | null;
}

interface Card {
  synthetic: boolean;
  people: { origins: Record<string, string> };
  model: { shards: Record<string, string> };
  evaluation: {
    protocol: string;
    persons: string;
    too_few: boolean;
    rows: Record<string, Record<string, Figure>>;
  };
}

interface Training {
  state: string;
  what: string;
  share: number;
  error?: { what: string; do?: string };
  result?: Card;
}

const ROWS: Record<string, string> = {
  encoder: "model",
  "Markov-2": "Markov, two back",
  digraph: "pair of events",
};
const COLUMNS: [string, string, (value: number) => string][] = [
  ["top1", "next event right", (value) => `${(100 * value).toFixed(1)} %`],
  ["nll", "surprise, nats", (value) => value.toFixed(2)],
  ["pause_mae_ms", "pause off by", (value) => `${value.toFixed(0)} ms`],
];

function cell(figure: Figure | undefined, words: (value: number) => string): Node {
  if (!figure || figure.value === null) return make("span", {}, "–");
  const { value, low, high } = figure;
  const interval = low === null || high === null ? "" : `${words(low)} to ${words(high)}`;
  return make("div", {}, words(value), make("small", {}, interval));
}

function showCard(card: Card): void {
  const { evaluation } = card;
  const origins = Object.entries(card.people.origins)
    .map(([origin, count]) => `${count} ${origin}`)
    .join(", ");
  at("metrics-caption").textContent =
    `Judged on ${evaluation.persons} people it has not seen; 95 % intervals over people. Learned from: ${origins}.` +
    (evaluation.too_few ? " Too few people for these figures to mean much." : "");
  at("metrics-head").replaceChildren(
    make("tr", {}, ...["", ...COLUMNS.map(([, title]) => title)].map((title) => make("th", { scope: "col" }, title))),
  );
  at("metrics-body").replaceChildren(
    ...Object.entries(evaluation.rows).map(([name, figures]) =>
      row(
        [ROWS[name] ?? name, ...COLUMNS.map(([figure, , words]) => cell(figures[figure], words))],
        true,
      ),
    ),
  );
  at("card-text").textContent = JSON.stringify(card, null, 1);
  at("metrics").hidden = false;
}

async function train(overt: Overt): Promise<void> {
  const bar = at<HTMLProgressElement>("train-progress");
  const status = at("train-status");
  const failed = at("train-error");
  failed.hidden = true;
  bar.hidden = false;
  bar.removeAttribute("value");
  try {
    const body = { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" };
    const { job } = await answer<{ job: string }>(await overt.fetch("/v1/train", body));
    const done = await follow<Training>(`/v1/train/${job}`, (seen) => {
      status.textContent = seen.what;
      if (seen.share > 0) bar.value = seen.share;
    });
    if (done.error) throw new Error([done.error.what, done.error.do].filter(Boolean).join(". "));
    if (done.result) showCard(done.result);
    status.textContent = "Trained.";
  } catch (error) {
    failed.textContent = error instanceof Error ? error.message : "Training stopped.";
    failed.hidden = false;
    status.textContent = "";
  } finally {
    bar.hidden = true;
  }
}

interface Given {
  purpose: string;
  /** What the whole model is; null if none was trained. */
  card: Card | null;
  /** The parts of it that no other living person taught; null if there is none. */
  model: PageModel | null;
}

const NAMES: Record<string, string> = {
  "key:letter": "a letter",
  "key:digit": "a digit",
  "key:punctuation": "punctuation",
  "key:space": "space",
  "key:enter": "Enter",
  "key:backspace": "backspace",
  "key:shift": "Shift",
  "key:arrow": "an arrow",
  "key:composing": "composed text",
  "click:button": "click a button",
  "click:field": "click a field",
  "click:option": "pick an option",
  "click:select": "open a list",
  "click:target": "hit a target",
  "click:other": "click elsewhere",
  "focus:field": "go to a field",
  "focus:other": "go elsewhere",
  "scroll:down": "scroll down",
  "scroll:up": "scroll up",
};

function inWords(token: string): string {
  return NAMES[token] ?? token.replace(/^(key|edit|click):/, "").replaceAll("_", " ");
}

/** The live part: shown while the page holds a model. */
class Live {
  private watching: Watching | null = null;
  private purpose = "";
  private due = false;

  async load(overt: Overt): Promise<void> {
    const { card, model, purpose } = await answer<Given>(await overt.fetch("/v1/me/model"));
    const none = at("model-none");
    this.purpose = purpose;
    this.watching = model && new Watching(model);
    at("predict").hidden = !model;
    none.hidden = true;
    if (!card) return;
    showCard(card);
    const whole = Object.keys(card.model.shards).length;
    const given = model?.shards.length ?? 0;
    none.hidden = given === whole;
    none.textContent =
      given === 0
        ? `Every one of the model’s ${whole} parts learned from another living person, so none is given to this page, and there is no live prediction.`
        : `${given} of the model’s ${whole} parts are used here: the others learned from another living person and stay on the server.`;
  }

  push({ event, purposes }: Watched): void {
    if (!this.watching || !purposes.includes(this.purpose)) return;
    const expected = this.watching.push(event);
    if (!expected || this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      if (this.watching) draw(this.watching, expected);
    });
  }

  forget(): void {
    this.watching = null;
    at("predict").hidden = true;
  }
}

function draw(watching: Watching, expected: Expectation): void {
  at("expect").replaceChildren(
    ...expected.next.map(({ name, probability }) =>
      make(
        "li",
        {},
        make("span", {}, inWords(name)),
        make("meter", { min: "0", max: "1", value: String(probability), "aria-hidden": "true" }),
        make("span", { class: "num" }, `${(100 * probability).toFixed(0)} %`),
      ),
    ),
  );
  const [low, middle, high] = expected.pause_ms.map((pause) => Math.round(pause));
  at("expect-pause").textContent =
    `After about ${middle} ms; in eight of ten cases between ${low} and ${high} ms.`;
  at("predict-body").replaceChildren(
    ...GUESSERS.map((name) => {
      const score = watching.scores.get(name)!;
      const off_ms = median(score.off_ms);
      return row(
        [
          ROWS[name] ?? name,
          watching.seen ? `${((100 * score.right) / watching.seen).toFixed(0)} %` : "–",
          off_ms === null ? "–" : `${off_ms.toFixed(0)} ms`,
        ],
        true,
      );
    }),
  );
  const chart = document.getElementById("predict-chart") as unknown as SVGSVGElement;
  const lines = (["most frequent", "Markov-2", "model"] as const).map((name, place) => ({
    look: `p${3 - place}`,
    values: watching.scores.get(name)!.shares,
  }));
  shares(chart, lines, `Share guessed right over ${watching.seen} events, model and baselines`);
}

export function startLearning(overt: Overt): { refresh(): void; forget(): void } {
  const button = byTest<HTMLButtonElement>("train");
  const live = new Live();
  button.addEventListener("click", () =>
    busy(button, async () => {
      await train(overt);
      await live.load(overt);
    }),
  );
  overt.watch((watched) => live.push(watched));
  return {
    refresh() {
      if (!button.hasAttribute("aria-busy")) button.disabled = overt.state().receiptId === "";
    },
    forget: () => live.forget(),
  };
}
