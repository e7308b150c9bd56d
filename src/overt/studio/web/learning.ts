/** Step 4: train on what is there, and watch what the model expects. */

import type { Overt } from "../../../../sdk/src/index.ts";
import { answer, follow } from "./api.ts";
import { at, busy, byTest, make, row } from "./dom.ts";

interface Figure {
  value: number | null;
  low: number | null;
  high: number | null;
}

interface Card {
  synthetic: boolean;
  people: { origins: Record<string, string> };
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
  markov: "Markov, two back",
  "most-frequent": "most frequent",
  digraph: "pair of keys",
};
const COLUMNS: [string, string, (value: number) => string][] = [
  ["top1", "next event right", (value) => `${(100 * value).toFixed(1)} %`],
  ["nll", "surprise, nats", (value) => value.toFixed(2)],
  ["pause_mae_ms", "pause off by", (value) => `${value.toFixed(0)} ms`],
];

function cell(figure: Figure | undefined, words: (value: number) => string): string {
  if (!figure || figure.value === null) return "–";
  const { value, low, high } = figure;
  return low === null || high === null
    ? words(value)
    : `${words(value)} (${words(low)} to ${words(high)})`;
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

export function startLearning(overt: Overt): { refresh(): void } {
  const button = byTest<HTMLButtonElement>("train");
  button.addEventListener("click", () => busy(button, () => train(overt)));
  return {
    refresh() {
      if (!button.hasAttribute("aria-busy")) button.disabled = overt.state().receiptId === "";
    },
  };
}
