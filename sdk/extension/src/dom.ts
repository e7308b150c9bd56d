/** What the panel is made of: elements, buttons that say what went wrong, and asking the worker. */

import { type Child, make } from "../../src/make.ts";
import type { Answer, Command, OfStudy } from "./protocol.ts";
import { text } from "./words.ts";

export const main = document.getElementById("main") as HTMLElement;
export const said = document.getElementById("said") as HTMLElement;
export const isTab = location.hash === "#tab";

/** Where the panel is, and the ways from anywhere to its first view; the panel fills them in. */
export const go = {
  /** Address of the study that is looked at; empty: of all. */
  at: "",
  home: async (): Promise<void> => {},
  /** Look at another study, or at all of them. */
  turnTo: async (_at: string): Promise<void> => {},
};

let looking = 0;

/** What the panel shows goes: who still fetches something for it, comes too late. */
function leave(): void {
  window.clearInterval(looking);
  looking = 0;
}

/** Look now, and again every `each_ms`, until the panel shows something else. */
export async function keepLooking(look: (isLate: () => boolean) => Promise<void>, each_ms: number) {
  leave();
  const mine = window.setInterval(() => void again().catch(() => undefined), each_ms);
  const again = () => look(() => looking !== mine);
  looking = mine;
  await again();
}

export async function ask<T>(command: Command): Promise<T> {
  const answer = (await chrome.runtime.sendMessage(command)) as Answer<T>;
  if ("error" in answer) throw new Error(answer.error);
  return answer.value;
}

/** Ask about the study that is looked at. */
export const askOf = <T>(command: OfStudy, of = go.at): Promise<T> =>
  ask<T>({ ...command, at: of });

/** A button; what goes wrong is said, and the panel goes on. */
export function button(id: string, label: string, work: () => unknown, kind = ""): HTMLButtonElement {
  const made = make("button", { type: "button", class: kind, "data-id": id }, label);
  made.addEventListener("click", () => {
    said.textContent = "";
    made.disabled = true;
    void (async () => work())()
      .catch((error: Error) => (said.textContent = text("failed", { error: error.message })))
      .finally(() => (made.disabled = false));
  });
  return made;
}

/** Show other content, keeping the focus where it was if that is still there. */
export function show(...children: Child[]): void {
  const at = document.activeElement?.getAttribute("data-id");
  main.replaceChildren(...children);
  const again = at ? main.querySelector<HTMLElement>(`[data-id="${CSS.escape(at)}"]`) : null;
  again?.focus();
}

export function enter(...children: Child[]): void {
  leave();
  main.replaceChildren(...children);
  main.focus();
  window.scrollTo(0, 0);
}

export function tabLink(): Child {
  if (isTab) return "";
  return button("tab", text("tab"), () => void window.open(chrome.runtime.getURL("panel.html#tab")));
}
