/**
 * Step 2: what comes next and typos put right, by the person's own words and corrections, and by the
 * study's model of text if it has one. Fields are read only after the SDK's gate let an edit through
 * and the person ticked that the page may remember; what is learned stays in this page's memory.
 */

import type { Overt } from "../../../../sdk/src/index.ts";
import { make } from "../../../../sdk/src/make.ts";
import { assist, type Help } from "../../../../sdk/src/text-assist.ts";
import { at } from "./dom.ts";

const WHY: Record<string, string> = {
  again: "as you corrected before",
  swap: "two letters swapped, as you have done before",
  near: "the key beside it, as you have hit before",
  half: "a letter once that belongs twice, as before",
  double: "a letter twice that belongs once, as before",
  out: "a letter left out, as before",
  in: "a letter too many, as before",
  change: "one letter for another, as before",
  known: "a word that others write, one letter away",
};

/** Start helping; `refresh` after any change of state, which also forgets when it must. */
export function startWriting(overt: Overt): { refresh: () => void } {
  const free = at<HTMLTextAreaElement>("task-free");
  const remember = at<HTMLInputElement>("remember-keys");
  const row = at("expected-words");
  const words = [...row.querySelectorAll("button")];
  const put = at<HTMLButtonElement>("typo-put");
  let said = "";

  const learned = ({ isOn, corrections }: Help): string => {
    if (!isOn)
      return "Your typos can be put right here by your own corrections: join, and tick the box above.";
    if (!corrections)
      return "No correction learned from you yet. Type teh, take it back and put the; then type teh again.";
    return `Learned from you, here only: ${corrections} ${corrections === 1 ? "correction" : "corrections"}.`;
  };
  /** Say what there is to say; the line is a live region, so it is left alone while it says so. */
  const tell = (help: Help): void => {
    const { slip } = help;
    const now = slip ? `${slip.start} ${slip.slip} ${slip.put} ${slip.done}` : learned(help);
    if (now === said) return;
    said = now;
    put.hidden = !slip;
    const line = at("typo-line");
    if (!slip) {
      line.textContent = now;
      return;
    }
    const why = slip.done ? ", put there for you" : `, ${WHY[slip.why] ?? "as before"}`;
    line.replaceChildren(`${slip.slip} → `, make("strong", {}, slip.put), why);
    const does = slip.done ? "Take it back" : `Put “${slip.put}”`;
    put.replaceChildren(does, " ", make("kbd", {}, "Ctrl ."));
  };
  const foreseen = ({ isOn, finished, foreseen, hasModel }: Help): string => {
    if (!isOn) return "";
    if (finished)
      return `${foreseen} of your ${finished} ${finished === 1 ? "word" : "words"} here stood among these before you had finished them.`;
    const from = hasModel ? "the text of this study" : "common words";
    return `Expected next, from ${from} and soon from yours; Ctrl , takes the first.`;
  };
  const show = (help: Help): void => {
    row.hidden = !help.words.length;
    words.forEach((button, place) => {
      button.hidden = !help.words[place];
      button.textContent = help.words[place] ?? "";
    });
    at("expected-line").textContent = foreseen(help);
    tell(help);
  };

  const writing = assist(overt, free, show, {
    wanted: () => remember.checked && overt.state().phase === "recording",
    learnsFrom: (field) => field.matches("[data-overt]"),
    shown: (at("copy-source").textContent ?? "").split(/\s+/),
    common: (row.dataset.words ?? "").split(" "),
  });
  for (const offer of [row, put]) offer.addEventListener("pointerdown", (event) => event.preventDefault());
  words.forEach((button, place) =>
    button.addEventListener("click", () => writing.take(writing.help.words[place])),
  );
  put.addEventListener("click", () => writing.put());
  free.addEventListener("keydown", (event) => {
    const { words: offered, slip } = writing.help;
    const isFirst = event.key === "," && event.ctrlKey && offered.length > 0;
    const isPut = event.key === "." && (event.ctrlKey || event.metaKey) && slip !== null;
    if (!isFirst && !isPut) return;
    event.preventDefault();
    if (isFirst) writing.take(offered[0]);
    else writing.put();
  });
  remember.addEventListener("change", () => writing.refresh());
  at("risk-clear").addEventListener("click", () => writing.clear());
  return writing;
}
