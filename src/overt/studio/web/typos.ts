/**
 * Step 2: the person's own typos, put right by what their own corrections taught. Fields are read
 * only after the SDK's gate let the edit through and the person ticked that the page may remember;
 * what is learned stays in this page's memory, is never stored or sent, and goes with the keys.
 */

import { Kind } from "../../../../sdk/src/generated.ts";
import type { Overt, Watched } from "../../../../sdk/src/index.ts";
import { make } from "../../../../sdk/src/make.ts";
import { at } from "./dom.ts";
import { type Correction, type Hint, inCaseOf, Own, plain, tokenAt, Watch } from "./own.ts";

type Field = HTMLInputElement | HTMLTextAreaElement;

const WHY: Record<string, string> = {
  again: "as you corrected before",
  swap: "two letters swapped, as you have done before",
  near: "the key beside it, as you have hit before",
  half: "a letter once that belongs twice, as before",
  double: "a letter twice that belongs once, as before",
  out: "a letter left out, as before",
  in: "a letter too many, as before",
  change: "one letter for another, as before",
};

/** A hint at its place in the field; `done` once it was put there. */
interface Offer {
  start: number;
  slip: string;
  put: string;
  why: string;
  done: boolean;
}

/** A listed field of plain text, or null: secret fields never pass the gate, and are refused here too. */
function fieldOf(target: EventTarget | null): Field | null {
  const text = target instanceof HTMLInputElement && target.type === "text";
  if (!text && !(target instanceof HTMLTextAreaElement)) return null;
  return target.matches("[data-overt]") ? target : null;
}

class Corrector {
  private readonly own = new Own((at("copy-source").textContent ?? "").split(/\s+/));
  private readonly watches = new Map<Field, Watch>();
  private readonly free = at<HTMLTextAreaElement>("task-free");
  private readonly line = at("typo-line");
  private readonly button = at<HTMLButtonElement>("typo-put");
  private readonly remember = at<HTMLInputElement>("remember-keys");
  private offer: Offer | null = null;
  private replacing = false;

  private readonly overt: Overt;
  private shown = "";

  constructor(overt: Overt) {
    this.overt = overt;
    this.remember.addEventListener("change", () => (this.wanted ? this.show() : this.forget()));
    at("risk-clear").addEventListener("click", () => this.forget());
    this.button.addEventListener("pointerdown", (event) => event.preventDefault());
    this.button.addEventListener("click", () => this.use());
    this.free.addEventListener("keydown", (event) => {
      if (event.key !== "." || !(event.ctrlKey || event.metaKey) || !this.offer) return;
      event.preventDefault();
      this.use();
    });
    document.addEventListener("focusout", ({ target }) => this.left(target));
    document.addEventListener("focusin", ({ target }) => this.entered(target));
    overt.watch((watched) => this.note(watched));
    this.show();
  }

  forget(): void {
    this.own.forget();
    this.watches.clear();
    this.offer = null;
    this.show();
  }

  private get wanted(): boolean {
    return this.remember.checked && this.overt.state().phase === "recording";
  }

  /** Begin to follow a field with what stands in it, of which nothing is learned. */
  private entered(target: EventTarget | null): void {
    const field = this.wanted ? fieldOf(target) : null;
    if (field) this.watches.set(field, new Watch(field.value));
  }

  private left(target: EventTarget | null): void {
    const field = fieldOf(target);
    const watch = field && this.watches.get(field);
    if (watch && this.wanted) this.learn(watch.leave(), "");
    this.show();
  }

  private note({ event, source }: Watched): void {
    if (event.kind !== Kind.EDIT || !this.wanted || this.replacing) return;
    const field = fieldOf(source?.target ?? null);
    if (!field) return;
    const watch = this.watches.get(field);
    if (!watch) {
      this.watches.set(field, new Watch(field.value));
      return;
    }
    const { correction, word } = watch.change(field.value);
    this.learn(correction, word);
    if (field === this.free) this.consider(word);
  }

  private learn(correction: Correction | null, word: string): void {
    this.own.word(word);
    if (correction) this.own.correct(correction);
  }

  /** Offer something for the word before the caret, if it was finished now. */
  private consider(word: string): void {
    const text = this.free.value;
    if (this.offer && !this.stands(this.offer)) this.offer = null;
    if (word) {
      const end = text.slice(0, this.free.selectionStart).trimEnd().length;
      this.offer = this.found(text, end) ?? this.found(text, end - 1);
    }
    this.show();
  }

  private found(text: string, end: number): Offer | null {
    const [start, last] = tokenAt(text, end, end);
    const slip = text.slice(start, last);
    const hint: Hint | null = plain(slip) ? this.own.hint(slip) : null;
    return hint && { start, slip, put: inCaseOf(slip, hint.put), why: hint.why, done: false };
  }

  private stands({ start, slip, put, done }: Offer): boolean {
    const now = done ? put : slip;
    const [first, last] = tokenAt(this.free.value, start, start);
    return first === start && this.free.value.slice(first, last) === now;
  }

  /** Put the offered word there, or take it back. */
  private use(): void {
    const { offer } = this;
    if (!offer || !this.stands(offer)) return;
    const [gone, come] = offer.done ? [offer.put, offer.slip] : [offer.slip, offer.put];
    this.replace(offer.start, gone, come);
    if (offer.done) {
      this.own.refuse(offer.slip, offer.put);
      this.offer = null;
    } else {
      this.own.accept(offer.slip, offer.put);
      offer.done = true;
    }
    this.watches.set(this.free, new Watch(this.free.value));
    this.show();
  }

  /** Replace as a hand would, so that the browser's own undo knows of it too. */
  private replace(start: number, gone: string, come: string): void {
    const { free } = this;
    const caret = free.selectionStart + come.length - gone.length;
    this.replacing = true;
    free.focus();
    free.setSelectionRange(start, start + gone.length);
    if (!document.execCommand("insertText", false, come)) free.setRangeText(come);
    free.setSelectionRange(caret, caret);
    this.replacing = false;
  }

  /** Say what there is to say; the line is a live region, so it is left alone while it says so. */
  private show(): void {
    const { offer } = this;
    const now = offer ? `${offer.start} ${offer.slip} ${offer.put} ${offer.done}` : this.words();
    if (now === this.shown) return;
    this.shown = now;
    this.button.hidden = !offer;
    if (!offer) {
      this.line.textContent = now;
      return;
    }
    const { done, slip, put, why } = offer;
    const said = done ? ", put there for you" : `, ${WHY[why] ?? "as before"}`;
    this.line.replaceChildren(`${slip} → `, make("strong", {}, put), said);
    const does = done ? "Take it back" : `Put “${put}”`;
    this.button.replaceChildren(does, " ", make("kbd", {}, "Ctrl ."));
  }

  private words(): string {
    if (!this.wanted)
      return "Your typos can be put right here by your own corrections: join, and tick the box above.";
    const { corrections } = this.own;
    if (!corrections)
      return "No correction learned from you yet. Type teh, take it back and put the; then type teh again.";
    return `Learned from you, here only: ${corrections} ${corrections === 1 ? "correction" : "corrections"}.`;
  }

  refresh(): void {
    if (this.wanted) this.show();
    else this.forget();
  }
}

/** Start correcting; `refresh` after any change of state, which also forgets when it must. */
export function startTypos(overt: Overt): { refresh: () => void } {
  const corrector = new Corrector(overt);
  window.addEventListener("pagehide", () => corrector.forget());
  return { refresh: () => corrector.refresh() };
}
