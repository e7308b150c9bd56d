/**
 * Step 2: what the page expects the person to write next, by their own words. As with typos, fields
 * are read only after the SDK's gate let the edit through and the person ticked that the page may
 * remember; what is learned stays in this page's memory, and goes with the keys.
 */

import { Kind } from "../../../../sdk/src/generated.ts";
import type { Overt, Watched } from "../../../../sdk/src/index.ts";
import { at } from "./dom.ts";
import { Expected, standing, type Standing } from "./expected.ts";
import { isWordLetter, Watch } from "./own.ts";

const ROW = "expected-words";

class Expecting {
  private readonly free = at<HTMLTextAreaElement>("task-free");
  private readonly remember = at<HTMLInputElement>("remember-keys");
  private readonly row = at(ROW);
  private readonly line = at("expected-line");
  private readonly buttons = [...this.row.querySelectorAll("button")];
  private readonly expected = new Expected((this.row.dataset.words ?? "").split(" "));
  private readonly overt: Overt;
  private watch: Watch | null = null;
  /** How much of the field stood there when following it began: nothing of that is learned. */
  private old = 0;
  private place: Standing | null = null;
  private offered: string[] = [];
  /** What was offered since the word that is being written began. */
  private readonly seen = new Set<string>();
  private words = 0;
  private foreseen = 0;

  constructor(overt: Overt) {
    this.overt = overt;
    this.remember.addEventListener("change", () => this.refresh());
    at("risk-clear").addEventListener("click", () => this.forget());
    this.row.addEventListener("pointerdown", (event) => event.preventDefault());
    this.buttons.forEach((button, place) => button.addEventListener("click", () => this.take(place)));
    this.free.addEventListener("focus", () => this.entered());
    this.free.addEventListener("keydown", (event) => {
      if (event.key !== "," || !event.ctrlKey || !this.offered.length) return;
      event.preventDefault();
      this.take(0);
    });
    overt.watch((watched) => this.note(watched));
    this.show();
  }

  forget(): void {
    this.expected.forget();
    this.watch = null;
    this.place = null;
    this.offered = [];
    this.seen.clear();
    this.words = this.foreseen = 0;
    this.show();
  }

  refresh(): void {
    if (!this.wanted) this.forget();
    else this.show();
  }

  private get wanted(): boolean {
    return this.remember.checked && this.overt.state().phase === "recording";
  }

  /** Begin to follow the field with what stands in it, of which nothing is learned. */
  private entered(): void {
    if (!this.wanted) return;
    this.watch = new Watch(this.free.value);
    this.old = this.free.value.length;
    this.look();
  }

  private note({ event, source }: Watched): void {
    if (event.kind !== Kind.EDIT || source?.target !== this.free || !this.wanted) return;
    if (!this.watch) {
      this.entered();
      return;
    }
    const { value } = this.free;
    const { correction, word } = this.watch.change(value);
    this.old = Math.min(this.old, value.length);
    if (correction?.whole && correction.start >= this.old)
      this.expected.unlearn(this.before(correction.start), correction.slip);
    if (word) this.finished(word);
    this.look();
  }

  private finished(word: string): void {
    const { value, selectionStart } = this.free;
    const end = value.slice(0, selectionStart).trimEnd().length;
    const start = value.slice(0, end).toLowerCase().lastIndexOf(word);
    if (start < this.old) return;
    this.expected.learn(this.before(start), word);
    this.words += 1;
    if (this.seen.has(word)) this.foreseen += 1;
    this.seen.clear();
  }

  /** The words before the word that begins at `start`, of what may be learned. */
  private before(start: number): string[] {
    const { value } = this.free;
    let from = this.old;
    if (from && isWordLetter(value[from - 1]!))
      while (from < start && isWordLetter(value[from]!)) from += 1;
    const text = value.slice(from, start);
    return standing(text, text.length)?.before ?? [];
  }

  /** Expect something where the caret stands. */
  private look(): void {
    const { value, selectionStart, selectionEnd } = this.free;
    this.place = selectionStart === selectionEnd ? standing(value, selectionStart) : null;
    this.offered = this.place ? this.expected.expect(this.place) : [];
    for (const word of this.offered) this.seen.add(word);
    this.show();
  }

  /** Put the rest of an expected word and a space, as a hand would. */
  private take(place: number): void {
    const word = this.offered[place];
    if (!word || !this.place) return;
    const { prefix, before: said } = this.place;
    const rest = word.slice(prefix.length);
    const put = prefix || said.length ? rest : rest.slice(0, 1).toUpperCase() + rest.slice(1);
    this.free.focus();
    if (!document.execCommand("insertText", false, `${put} `)) this.free.setRangeText(`${put} `);
  }

  private show(): void {
    this.row.hidden = !this.wanted || !this.offered.length;
    this.buttons.forEach((button, place) => {
      button.hidden = !this.offered[place];
      button.textContent = this.offered[place] ?? "";
    });
    this.line.textContent = !this.wanted
      ? ""
      : this.words
        ? `${this.foreseen} of your ${this.words} ${this.words === 1 ? "word" : "words"} here stood among these before you had finished them.`
        : "Expected next, from common words and soon from yours; Ctrl , takes the first.";
  }
}

/** Start expecting; `refresh` after any change of state, which also forgets when it must. */
export function startExpecting(overt: Overt): { refresh: () => void } {
  const expecting = new Expecting(overt);
  window.addEventListener("pagehide", () => expecting.forget());
  return { refresh: () => expecting.refresh() };
}
