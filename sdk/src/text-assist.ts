/**
 * Help with writing in a page, computed there: which word may come next, and what a slip was meant to
 * be. From the study's model of text, as far as no other living person taught it, and from what the
 * person writes and puts right here. The model is fetched once; then nothing is asked of anybody, and
 * what is learned stays in this page's memory.
 *
 * ```ts
 * import { assist } from "/static/text-assist.js";
 * const writing = assist(overt, textarea, ({ words, slip }) => { … });
 * writing.take(words[0]); // the rest of the word, as a hand would
 * writing.put();          // the slip put right; once more: as it was
 * ```
 */

import { type After, Expected, type Standing, standing } from "./expected.ts";
import { Kind } from "./generated.ts";
import type { Overt, Watched } from "./index.ts";
import { type Correction, inCaseOf, isWordLetter, Own, plain, tokenAt, Watch } from "./typos.ts";

const PURPOSE = "text-assist";

export type Field = HTMLInputElement | HTMLTextAreaElement;

/** What a study's model of text gives to a page (`spec/text.md`). */
interface TextModel {
  /** The study's words, then common English, each the most frequent first. */
  words: readonly string[];
  after: After;
}

/** A word that was just left, and what was probably meant. */
export interface Slip {
  /** Where it begins in the field. */
  start: number;
  slip: string;
  put: string;
  /** `again`: as they corrected before; `known`: a word that others know; else a habit of theirs. */
  why: string;
  /** It was put there, and `put` takes it back. */
  done: boolean;
}

/** What can be offered now. */
export interface Help {
  /** Whether help is wanted now; else there is none. */
  isOn: boolean;
  words: readonly string[];
  slip: Slip | null;
  /** Whether the study has a model for this page. */
  hasModel: boolean;
  /** Corrections that were learned here. */
  corrections: number;
  /** Words that were finished here, and those of them that had been offered before they were. */
  finished: number;
  foreseen: number;
}

export interface Options {
  /**
   * Whether help is wanted now; else nothing is looked at, and what was learned goes. Default: while
   * somebody is recorded who chose the purpose `text-assist`.
   */
  wanted?(): boolean;
  /** Other fields whose words and corrections teach too. */
  learnsFrom?(field: Field): boolean;
  /** Words that the page itself shows: they are no slips. */
  shown?: readonly string[];
  /** Words to expect where there is no model, the most common first. */
  common?: readonly string[];
}

/** The field that something happened in, if it is one of plain text. */
function fieldOf(target: EventTarget | null): Field | null {
  const text = target instanceof HTMLInputElement && target.type === "text";
  return text || target instanceof HTMLTextAreaElement ? target : null;
}

/** Help in one field. Fields are read only after the SDK's gate let an edit of them through. */
export class Writing {
  readonly #own: Own;
  readonly #expected: Expected;
  readonly #overt: Overt;
  readonly #field: Field;
  readonly #show: (help: Help) => void;
  readonly #options: Options;
  readonly #watches = new Map<Field, Watch>();
  readonly #listening = new AbortController();
  readonly #ends: (() => void)[];
  /** Whether the study's model was asked for, and is here. */
  #asked = false;
  #hasModel = false;
  #finished = 0;
  #foreseen = 0;
  /** How much of the field stood there when following it began: nothing of that is learned. */
  #old = 0;
  #place: Standing | null = null;
  #offered: readonly string[] = [];
  #slip: Slip | null = null;
  #replaces = false;
  /** What was shown last. */
  #told = "";
  /** What was offered since the word that is being written began. */
  readonly #seen = new Set<string>();

  constructor(overt: Overt, field: Field, show: (help: Help) => void, options: Options = {}) {
    this.#overt = overt;
    this.#field = field;
    this.#show = show;
    this.#options = options;
    this.#own = new Own(options.shown);
    this.#expected = new Expected(options.common);
    const { signal } = this.#listening;
    document.addEventListener("focusin", ({ target }) => this.#entered(target), { signal });
    document.addEventListener("focusout", ({ target }) => this.#left(target), { signal });
    window.addEventListener("pagehide", () => this.clear(), { signal });
    this.#ends = [
      overt.watch((watched) => this.#note(watched)),
      overt.onChange(() => this.refresh()),
    ];
    this.refresh();
    if (document.activeElement === field) this.#entered(field);
  }

  /** What is on the screen is left alone while it holds: a press on it must not lose what it is on. */
  #tell(): void {
    const { help } = this;
    const now = JSON.stringify(help);
    if (now !== this.#told) this.#show(help);
    this.#told = now;
  }

  #isFor(): boolean {
    return this.#overt.state().purposes.includes(PURPOSE);
  }

  get #isWanted(): boolean {
    const { wanted } = this.#options;
    return wanted ? wanted() : this.#isFor() && this.#overt.state().phase === "recording";
  }

  /**
   * Have the study's model for as long as somebody takes part for its purpose: it may be one that
   * they taught, so it goes with them.
   */
  async #ask(): Promise<void> {
    const asked = this.#isFor();
    if (asked === this.#asked) return;
    this.#asked = asked;
    const model = asked ? await fetched(this.#overt).catch(() => null) : null;
    if (this.#asked !== asked) return;
    this.#hasModel = model !== null;
    this.#expected.knows(model?.words ?? this.#options.common ?? [], model?.after ?? {});
    this.#own.knows(model?.words ?? []);
    this.#look();
  }

  get help(): Help {
    return {
      isOn: this.#isWanted,
      words: this.#offered,
      slip: this.#slip,
      hasModel: this.#hasModel,
      corrections: this.#own.corrections,
      finished: this.#finished,
      foreseen: this.#foreseen,
    };
  }

  /** Everything that was learned is gone. */
  clear(): void {
    this.#own.forget();
    this.#expected.forget();
    this.#watches.clear();
    this.#seen.clear();
    this.#place = this.#slip = null;
    this.#offered = [];
    this.#finished = this.#foreseen = 0;
    this.#tell();
  }

  /** See whether help is wanted still; it is seen to by itself when the SDK's state changes. */
  refresh(): void {
    void this.#ask();
    if (this.#isWanted) this.#tell();
    else this.clear();
  }

  /** No more help here; what was learned goes. */
  end(): void {
    this.#listening.abort();
    for (const end of this.#ends) end();
    this.clear();
  }

  /** Put the rest of an offered word and a space, as a hand would. */
  take(word: string | undefined): void {
    if (!word || !this.#place || !this.#offered.includes(word)) return;
    const { prefix, before } = this.#place;
    const rest = word.slice(prefix.length);
    const put = prefix || before.length ? rest : rest.slice(0, 1).toUpperCase() + rest.slice(1);
    this.#insert(`${put} `);
  }

  /** Put the slip right, or take that back; either is learned. */
  put(): void {
    const slip = this.#slip;
    if (!slip || !this.#stands(slip)) return;
    const [gone, come] = slip.done ? [slip.put, slip.slip] : [slip.slip, slip.put];
    this.#replace(slip.start, gone, come);
    if (slip.start >= this.#old) {
      const before = this.#before(slip.start);
      this.#expected.unlearn(before, plain(gone));
      this.#expected.learn(before, plain(come));
    }
    if (slip.done) this.#own.refuse(slip.slip, slip.put);
    else this.#own.accept(slip.slip, slip.put);
    this.#slip = slip.done ? null : { ...slip, done: true };
    this.#watches.set(this.#field, new Watch(this.#field.value));
    this.#look();
  }

  #follows(target: EventTarget | null): Field | null {
    const field = fieldOf(target);
    if (!field || !this.#isWanted) return null;
    return field === this.#field || this.#options.learnsFrom?.(field) ? field : null;
  }

  /** Begin to follow a field with what stands in it, of which nothing is learned. */
  #entered(target: EventTarget | null): void {
    const field = this.#follows(target);
    if (!field) return;
    this.#watches.set(field, new Watch(field.value));
    if (field !== this.#field) return;
    this.#old = field.value.length;
    this.#look();
  }

  #left(target: EventTarget | null): void {
    const field = this.#follows(target);
    const watch = field && this.#watches.get(field);
    if (watch) this.#learn(watch.leave(), "");
    this.#tell();
  }

  #note({ event, source }: Watched): void {
    if (event.kind !== Kind.EDIT || this.#replaces) return;
    const field = this.#follows(source?.target ?? null);
    const watch = field && this.#watches.get(field);
    if (!watch) {
      this.#entered(field);
      return;
    }
    const { correction, word } = watch.change(field.value);
    this.#learn(correction, word);
    if (field !== this.#field) return;
    this.#old = Math.min(this.#old, field.value.length);
    if (correction?.whole && correction.start >= this.#old)
      this.#expected.unlearn(this.#before(correction.start), correction.slip);
    if (this.#slip && !this.#stands(this.#slip)) this.#slip = null;
    if (word) this.#end(word);
    this.#look();
  }

  #learn(correction: Correction | null, word: string): void {
    this.#own.word(word);
    if (correction) this.#own.correct(correction);
  }

  #end(word: string): void {
    const { value, selectionStart } = this.#field;
    const end = value.slice(0, selectionStart ?? 0).trimEnd().length;
    this.#slip = this.#found(value, end) ?? this.#found(value, end - 1);
    const start = value.slice(0, end).toLowerCase().lastIndexOf(word);
    if (start < this.#old) return;
    this.#expected.learn(this.#before(start), word);
    this.#finished += 1;
    if (this.#seen.has(word)) this.#foreseen += 1;
    this.#seen.clear();
  }

  #found(text: string, end: number): Slip | null {
    const [start, last] = tokenAt(text, end, end);
    const slip = text.slice(start, last);
    const hint = plain(slip) ? this.#own.hint(slip) : null;
    return hint && { start, slip, put: inCaseOf(slip, hint.put), why: hint.why, done: false };
  }

  #stands({ start, slip, put, done }: Slip): boolean {
    const { value } = this.#field;
    const [first, last] = tokenAt(value, start, start);
    return first === start && value.slice(first, last) === (done ? put : slip);
  }

  /** The words before the word that begins at `start`, of what may be learned. */
  #before(start: number): string[] {
    const { value } = this.#field;
    let from = this.#old;
    if (from && isWordLetter(value[from - 1]!))
      while (from < start && isWordLetter(value[from]!)) from += 1;
    const text = value.slice(from, start);
    return standing(text, text.length)?.before ?? [];
  }

  /** Expect something where the caret stands. */
  #look(): void {
    const { value, selectionStart, selectionEnd } = this.#field;
    const isCaret = this.#watches.has(this.#field) && selectionStart === selectionEnd;
    this.#place = isCaret ? standing(value, selectionStart ?? 0) : null;
    this.#offered = this.#place ? this.#expected.expect(this.#place) : [];
    for (const word of this.#offered) this.#seen.add(word);
    this.#tell();
  }

  #insert(text: string): void {
    this.#field.focus();
    // So the browser's own undo knows of it too.
    if (!document.execCommand("insertText", false, text)) this.#field.setRangeText(text);
  }

  #replace(start: number, gone: string, come: string): void {
    const field = this.#field;
    const caret = (field.selectionStart ?? 0) + come.length - gone.length;
    this.#replaces = true;
    field.focus();
    field.setSelectionRange(start, start + gone.length);
    this.#insert(come);
    field.setSelectionRange(caret, caret);
    this.#replaces = false;
  }
}

/** The study's model of text, as far as it may be in this page; null: there is none. */
async function fetched(overt: Overt): Promise<TextModel | null> {
  const response = await overt.fetch(`/v1/me/model?purpose=${PURPOSE}`);
  return response.ok ? ((await response.json()) as { model: TextModel | null }).model : null;
}

/**
 * Begin to help in a field; `show` is called whenever what can be offered may have changed. Without
 * a model of the study it helps by the person's own words and corrections alone.
 */
export function assist(
  overt: Overt,
  field: Field,
  show: (help: Help) => void,
  options?: Options,
): Writing {
  return new Writing(overt, field, show, options);
}
