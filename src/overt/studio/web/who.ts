/** Person or program: a verdict on the person's own pointer, and on a script's, side by side. */

import type { Overt, Watched } from "../../../../sdk/src/index.ts";
import { make } from "../../../../sdk/src/make.ts";
import { answer, follow } from "./api.ts";
import { at, busy, byTest } from "./dom.ts";
import { windowOf } from "./motion.ts";
import { LEAST_S, Movement, PURPOSE, type Sample, judged } from "./movement.ts";
import { perform } from "./script.ts";
import { Judge, type PageModel, type Verdict, probability } from "./verdict.ts";

interface Card {
  people: { origins: Record<string, string> };
  model: { shards: Record<string, string> };
}

interface Given {
  card: Card | null;
  model: PageModel | null;
}

interface Training {
  state: string;
  what: string;
  error?: { what: string; do?: string };
}

const WORDS = { person: "Person", program: "Program", "cannot-tell": "Cannot tell" };

const percent = (share: number): string => {
  const value = 100 * share;
  if (value < 0.5) return "under 1 %";
  return value > 99.5 ? "over 99 %" : `${value.toFixed(0)} %`;
};

function why(verdict: Verdict): string {
  if (verdict.byKeys)
    return "It goes along the axes alone, as keys move a pointer, so the model does not say.";
  if (verdict.strange)
    return "It is unlike anything the model has learned from, so the model does not say.";
  const few = verdict.tooFew ? " It has learned from too few people to ever say “program”." : "";
  return `Of people’s movement set aside in learning, ${percent(verdict.asPerson)} looked as much like a program; of programs’, ${percent(verdict.asProgram)} looked as much like a person.${few}`;
}

class Who {
  private readonly overt: Overt;
  private judge: Judge | null = null;
  private readonly own = new Movement();
  private due = false;

  constructor(overt: Overt) {
    this.overt = overt;
  }

  /** Take note of the person's own pointer, as far as it is recorded for this purpose. */
  note(watched: Watched): void {
    if (!this.own.note(watched)) return;
    if (this.due || !this.judge) return;
    this.due = true;
    window.setTimeout(() => {
      this.due = false;
      this.showOwn();
    }, 500);
  }

  async load(): Promise<void> {
    const path = `/v1/me/model?purpose=${PURPOSE}`;
    const { card, model } = await answer<Given>(await this.overt.fetch(path));
    this.judge = model && new Judge(model);
    at("who-from").textContent = card ? learnedFrom(card, model) : "";
    this.showOwn();
  }

  async learn(): Promise<void> {
    const status = at("who-status");
    const { job } = await answer<{ job: string }>(
      await this.overt.fetch("/v1/train", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ purpose: PURPOSE }),
      }),
    );
    const done = await follow<Training>(`/v1/train/${job}`, (seen) => {
      status.textContent = seen.what;
    });
    status.textContent = "";
    if (done.error) throw new Error([done.error.what, done.error.do].filter(Boolean).join(". "));
    await this.load();
  }

  /** Let a script do the task and judge what it sent. */
  async script(kind: string): Promise<void> {
    if (!this.judge) await this.learn();
    const field = at("script-field");
    const sent: Sample[] = [];
    const heard = (event: PointerEvent): void => {
      // A person's own pointer over the field is not the script's.
      if (!event.isTrusted) sent.push([performance.now(), event.clientX, event.clientY]);
    };
    field.addEventListener("pointermove", heard);
    try {
      await perform(field, kind);
    } finally {
      field.removeEventListener("pointermove", heard);
    }
    this.show("verdict-script", sent);
  }

  private showOwn(): void {
    this.show("verdict-person", this.own.all());
  }

  private show(name: string, samples: Sample[]): void {
    const shown = byTest(name);
    const { trace, seconds } = judged(samples);
    if (!this.judge || seconds < LEAST_S) {
      shown.dataset.verdict = "none";
      const short = this.judge
        ? `Too little to say: ${seconds.toFixed(0)} of at least ${LEAST_S} seconds of mouse movement.`
        : "There is no model yet.";
      shown.replaceChildren(make("p", { class: "quiet" }, short));
      return;
    }
    const verdict = this.judge.of(windowOf(trace));
    const [low, middle, high] = [verdict.low, verdict.odds, verdict.high].map(probability) as [
      number,
      number,
      number,
    ];
    shown.dataset.verdict = verdict.said;
    shown.replaceChildren(
      make("p", { class: "verdict" }, WORDS[verdict.said]),
      make(
        "p",
        { class: "num" },
        `Probability of a program ${percent(middle)}; its parts say ${percent(low)} to ${percent(high)}.`,
      ),
      make("p", { class: "small quiet" }, `Rests on ${seconds.toFixed(0)} seconds of movement. ${why(verdict)}`),
    );
  }

  forget(): void {
    this.judge = null;
    this.own.forget();
    at("who-from").textContent = "";
    this.showOwn();
  }
}

function learnedFrom(card: Card, model: PageModel | null): string {
  const origins = Object.entries(card.people.origins);
  const people = origins.map(([origin, count]) => `${count} ${origin}`).join(", ");
  const whole = Object.keys(card.model.shards).length;
  const given = model?.shards.length ?? 0;
  const parts =
    given === whole
      ? ""
      : ` ${given} of its ${whole} parts are used here: the others learned from another living person.`;
  return `Learned from: ${people} people, and programs in their place.${parts}`;
}

/** Start the section; it is there only for those who chose its purpose. */
export function startWho(overt: Overt): { refresh(): void; forget(): void } {
  const who = new Who(overt);
  const learn = byTest<HTMLButtonElement>("who-train");
  const run = byTest<HTMLButtonElement>("script-run");
  const kind = byTest<HTMLSelectElement>("script-kind");
  learn.addEventListener("click", () => busy(learn, () => who.learn()));
  run.addEventListener("click", () => busy(run, () => who.script(kind.value)));
  overt.watch((watched) => who.note(watched));
  let loaded = false;
  return {
    refresh() {
      const { receiptId, purposes, reason } = overt.state();
      const mayLearn = receiptId !== "" && reason !== "withdrawn" && purposes.includes(PURPOSE);
      for (const button of [learn, run])
        if (!button.hasAttribute("aria-busy")) button.disabled = !mayLearn;
      at("who-not").hidden = mayLearn;
      if (!mayLearn && loaded) who.forget();
      loaded = mayLearn;
    },
    forget: () => who.forget(),
  };
}
