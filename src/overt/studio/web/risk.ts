/** Step 5: try to recognise the person by the second half of their typing. */

import type { Overt } from "../../../../sdk/src/index.ts";
import { type Outcome, PRESSES_MIN, type View, recognise } from "./attack.ts";
import { distances } from "./chart.ts";
import { at, busy } from "./dom.ts";
import { answer, get } from "./api.ts";
import type { RawPresses } from "./raw.ts";

interface Profiles {
  label: string;
  /** Per person: [code point, key class, down µs, up µs] for each press. */
  people: [number, number, number, number][][];
}

function verdict(outcome: Outcome): string {
  if (outcome.rank === 1)
    return `It recognised you at once, among ${outcome.among} people (by guessing: 1 in ${outcome.among}).`;
  return `It did not recognise you: you came ${ordinal(outcome.rank)} of ${outcome.among}.`;
}

function ordinal(place: number): string {
  const teens = place % 100 > 10 && place % 100 < 14;
  return place + (teens ? "th" : (["th", "st", "nd", "rd"][place % 10] ?? "th"));
}

function show(view: View, outcome: Outcome): void {
  const others = outcome.among - 1;
  at(`risk-${view}`).textContent = verdict(outcome);
  const chart = document.getElementById(`risk-${view}-chart`) as unknown as SVGSVGElement;
  const [own = 0, ...rest] = outcome.distances;
  const label = `How unlike the second half of your typing is to each known profile: yours ranks ${outcome.rank} of ${outcome.among}`;
  distances(chart, own, rest.filter(Number.isFinite), label);
  at(`risk-${view}-others`).textContent =
    `The same attack found ${outcome.othersFound} of the ${others} synthetic others.`;
}

async function compare(raw: RawPresses): Promise<void> {
  const few = at("risk-few");
  const presses = raw.all();
  if (!raw.wanted) {
    at("risk-out").hidden = true;
    few.hidden = false;
    few.textContent =
      "There is nothing to compare: this page remembers no keys until you tick the box above " +
      "the tasks of step 2. Then type some more there.";
    return;
  }
  if (presses.length < 2 * PRESSES_MIN) {
    at("risk-out").hidden = true;
    few.hidden = false;
    few.textContent =
      `Too few keys to say anything: ${presses.length} so far, ${2 * PRESSES_MIN} are needed ` +
      `(${PRESSES_MIN} in each half). Type some more in step 2 while recording is on.`;
    return;
  }
  few.hidden = true;
  const profiles = await get<Profiles>("/v1/synthetic-profiles");
  const others = profiles.people.map((person) =>
    person.map(([symbol, keyClass, down_us, up_us]) => ({ symbol, keyClass, down_us, up_us })),
  );
  at("risk-out").hidden = false;
  for (const view of ["raw", "rhythm", "coarse"] as const) show(view, recognise(presses, others, view));
}

interface Real {
  text: string;
}

/** Ask the server for a comparison with real others; it refuses below ten people. */
async function real(overt: Overt): Promise<void> {
  const out = at("risk-real");
  try {
    out.textContent = (await answer<Real>(await overt.fetch("/v1/me/risk"))).text;
  } catch (error) {
    out.textContent = `No figure: ${error instanceof Error ? error.message : "it did not work"}`;
  }
}

export function startRisk(overt: Overt, raw: RawPresses): { refresh: () => void } {
  const button = at<HTMLButtonElement>("risk-compare");
  const clear = at<HTMLButtonElement>("risk-clear");
  const remember = at<HTMLInputElement>("remember-keys");
  remember.checked = false;
  remember.addEventListener("change", () => {
    raw.wanted = remember.checked;
    if (!raw.wanted) raw.forget();
    refresh();
  });
  button.addEventListener("click", () =>
    busy(button, async () => {
      await compare(raw);
      if (overt.state().receiptId) await real(overt);
    }),
  );
  clear.addEventListener("click", () => {
    raw.forget();
    at("risk-out").hidden = true;
    refresh();
  });
  const refresh = (): void => {
    const keys = raw.size;
    clear.disabled = keys === 0;
    if (!button.hasAttribute("aria-busy")) button.disabled = overt.state().phase === "none";
    const { transform } = overt.state();
    at("risk-rhythm-mark").hidden = transform !== "rhythm/0";
    at("risk-coarse-mark").hidden = transform !== "rhythm/1";
    at("risk-keys").textContent = `${keys} ${keys === 1 ? "key" : "keys"} in memory`;
  };
  return { refresh };
}
