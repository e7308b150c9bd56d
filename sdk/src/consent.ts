/**
 * The question, for a page that does not want to build it: the notice whole, the person's choice,
 * and two buttons of one kind, in an element of its own that no style of the page reaches.
 *
 * ```ts
 * import { ask } from "/static/consent.js";
 * const receipt = await ask(overt, document.querySelector("main")); // null: they went on without
 * ```
 *
 * All words are the notice's; what is missing in a choice, the browser says in its own.
 */

import type { Choice, Overt, Receipt } from "./index.ts";
import { type Child, make } from "./make.ts";

const TAG = "overt-consent";

const STYLE = `
:host{all:initial!important;display:block!important}
section{color-scheme:light dark;color:CanvasText;background:Canvas;border:1px solid;border-radius:12px;
max-width:46rem;margin:auto;box-sizing:border-box;padding:8px 24px 24px;font:16px/1.55 system-ui,sans-serif;
overflow-wrap:anywhere}[dir=rtl]{text-align:right}p,li{unicode-bidi:plaintext}
h2{line-height:1.25;margin:.6em 0 .4em}h3{font-size:1em;margin:1.3em 0 0}p,ul{margin:.3em 0}ul{padding-inline-start:1.2em}
details{font-size:1.1em;line-height:1.7;margin:.8em 0}summary{cursor:pointer;font-weight:600}
fieldset{border:0;margin:1.6em 0 0;padding:0}legend{font-weight:600;padding:0}
label{display:grid;grid-template-columns:auto 1fr;gap:.7em;margin:.8em 0;cursor:pointer}
input{width:1.3em;height:1.3em;margin:.15em 0}:focus-visible{outline:3px solid;outline-offset:2px}
.equal{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(14em,100%),1fr));grid-auto-rows:1fr;gap:12px;
margin-top:1.6em}button{font:inherit;font-weight:600;padding:8px 14px;min-height:48px;border:1px solid;
border-radius:8px;color:ButtonText;background:ButtonFace;cursor:pointer}button:hover{text-decoration:underline}`;

interface Shown {
  language: string;
  direction: string;
  about: string;
  controller: string;
  contact: string;
  join: string;
  decline: string;
  sections: { id: string; heading: string; text: string[] }[];
}

const lines = (text: string[]): Child =>
  text.length > 1
    ? make("ul", {}, ...text.map((line) => make("li", {}, line)))
    : make("p", {}, ...text);

function choices(type: "checkbox" | "radio", name: string, all: Choice[]): HTMLElement[] {
  return all.map(({ id, title, text }) =>
    make(
      "label",
      {},
      make("input", { type, name, value: id, ...(type === "radio" && { required: "" }) }),
      make("span", {}, make("strong", {}, title), make("br", {}), text),
    ),
  );
}

/** Show the question in `place`; resolves with the receipt, or with null for who goes on without. */
export async function ask(overt: Overt, place: Element = document.body): Promise<Receipt | null> {
  const { notice } = await overt.notice();
  const told = notice as unknown as Shown;
  const { purposes, details } = notice.choices;
  const own = notice.choices as unknown as { heading: string; text: string[] };
  if (!customElements.get(TAG)) customElements.define(TAG, class extends HTMLElement {});
  const host = document.createElement(TAG);
  const root = host.attachShadow({ mode: "closed" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];

  const problem = make("p", { role: "alert" });
  const join = make("button", { type: "submit" }, told.join);
  const decline = make("button", { type: "button" }, told.decline);
  const boxes = choices("checkbox", "purpose", purposes);
  const levels = details.levels.length
    ? [make("fieldset", {}, make("legend", {}, details.heading), ...choices("radio", "detail", details.levels))]
    : [];
  const form = make(
    "form",
    { autocomplete: "off", novalidate: "" },
    make("fieldset", {}, make("legend", {}, own.heading), lines(own.text), ...boxes),
    ...levels,
    problem,
    make("div", { class: "equal" }, join, decline),
  );
  const title = make("h2", { id: "title" }, notice.title);
  const section = make(
    "section",
    { lang: told.language, dir: told.direction, "aria-labelledby": "title" },
    title,
    make("p", {}, told.about),
    make("p", {}, `${told.controller} · ${told.contact}`),
    ...told.sections.map(({ id, heading, text }) =>
      id === "easy"
        ? make("details", {}, make("summary", {}, heading), ...text.map((line) => make("p", {}, line)))
        : make("div", {}, make("h3", {}, heading), lines(text)),
    ),
    form,
  );
  root.append(section);
  place.append(host);

  const chosen = (name: string): string[] => new FormData(form).getAll(name).map(String);
  return new Promise((resolve) => {
    const end = (receipt: Receipt | null): void => {
      host.remove();
      resolve(receipt);
    };
    decline.addEventListener("click", () => end(null));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const picked = chosen("purpose");
      // One is enough; none is chosen for them.
      for (const box of form.querySelectorAll<HTMLInputElement>("[type=checkbox]"))
        box.required = picked.length === 0;
      if (!event.isTrusted || !form.reportValidity()) return;
      join.disabled = true;
      overt.join(picked, chosen("detail")[0]).then(end, (error: Error) => {
        join.disabled = false;
        problem.textContent = error.message;
      });
    });
  });
}
