/** Taking back what has left: the last minutes, a purpose, or everything; and a copy of it all. */

import type { Overt } from "../../../../sdk/src/index.ts";
import { make } from "../../../../sdk/src/make.ts";
import { answer } from "./api.ts";
import { at, busy, byTest, download, say } from "./dom.ts";
import { purposeTitle } from "./choice.ts";

/** Called when a withdrawal was taken, with its job; `all` is false for a single purpose. */
export type Left = (job: string, all: boolean) => void;

/** Ask the same of each receipt of this device; the present one comes last. */
async function ofEach<T>(overt: Overt, path: string, init?: RequestInit): Promise<T[]> {
  const { former, receiptId } = overt.state();
  const all: T[] = [];
  for (const receipt of [...former, receiptId]) {
    const told = await overt.fetch(path, init, receipt);
    // An earlier one that the server does not know any more has nothing there.
    const isUnknown = receipt !== receiptId && [401, 403, 404, 410].includes(told.status);
    if (!isUnknown) all.push(await answer<T>(told));
  }
  return all;
}

async function removeLast(overt: Overt, minutes: number): Promise<void> {
  const here = await overt.removeSince(minutes);
  const erased = await ofEach<{ events: number }>(overt, "/v1/me/delete", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ minutes }),
  });
  const events = erased.reduce((sum, { events }) => sum + events, 0);
  say(`${here} waiting events removed here, ${events} erased on the server.`);
}

export function startLeaving(overt: Overt, changed: () => void, left: Left): { refresh(): void } {
  const ask = at("withdraw-ask");
  const words = at("withdraw-words");
  const all = byTest<HTMLButtonElement>("withdraw-all");
  const confirm = byTest<HTMLButtonElement>("withdraw-confirm");
  let asked: string[] | undefined;

  const open = (purposes?: string[]): void => {
    asked = purposes;
    words.textContent = purposes
      ? `Withdraw “${purposeTitle(purposes[0]!)}”: what only this purpose needed is erased, the rest goes on.`
      : "This ends your part: your key is destroyed at once, then data and models are cleaned of you. It cannot be undone.";
    ask.hidden = false;
    confirm.focus();
  };
  all.addEventListener("click", () => open());
  byTest("withdraw-keep").addEventListener("click", () => {
    ask.hidden = true;
    all.focus();
  });
  confirm.addEventListener("click", () =>
    busy(confirm, async () => {
      const entire = !asked || asked.length === overt.state().purposes.length;
      document.body.dataset.phase = entire ? "leaving" : document.body.dataset.phase;
      const { job } = await overt.withdraw(entire ? undefined : asked);
      ask.hidden = true;
      changed();
      left(job, entire);
    }),
  );

  const last = byTest<HTMLButtonElement>("remove-last");
  last.addEventListener("click", () =>
    busy(last, async () => {
      const minutes = at<HTMLInputElement>("remove-minutes");
      if (!minutes.reportValidity()) return;
      await removeLast(overt, minutes.valueAsNumber);
      changed();
    }),
  );
  const copy = byTest<HTMLButtonElement>("export");
  copy.addEventListener("click", () =>
    busy(copy, async () => {
      const all = await ofEach(overt, "/v1/me/export");
      download("overt-export.json", JSON.stringify(all.length > 1 ? all : all[0], null, 1));
    }),
  );

  let purposesShown = "";
  const refresh = (): void => {
    const state = overt.state();
    const joined = state.receiptId !== "" && state.reason !== "withdrawn";
    for (const button of [all, last, copy])
      if (!button.hasAttribute("aria-busy")) button.disabled = !joined;
    if (purposesShown === state.purposes.join()) return;
    purposesShown = state.purposes.join();
    at("withdraw-purposes").replaceChildren(
      ...(state.purposes.length < 2 ? [] : state.purposes).map((id) => {
        const button = make(
          "button",
          { type: "button", class: "slim", "data-testid": `withdraw-${id}` },
          `Withdraw “${purposeTitle(id)}”`,
        );
        button.addEventListener("click", () => open([id]));
        return button;
      }),
    );
  };
  return { refresh };
}
