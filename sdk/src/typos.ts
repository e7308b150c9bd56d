/**
 * What one person's own corrections teach, after `spec/typos.md`: the same as `overt.models.typos.own`
 * in Python, held to it by `spec/vectors/typos.json`. In memory only.
 */

const WORDS_MAX = 5000;
const CORRECTIONS_MAX = 500;
const LETTERS_MIN = 3;
const SPECIFIC_WEIGHT = 3;
const KIND_MIN = 2;
const KNOWN_LETTERS_MIN = 4;
/** So many of the words known to others, the most common first, are ever put in a slip's place. */
const PUT_MAX = 8000;
/** Kinds of slip that say something about other letters too. */
const KINDS = new Set(["swap", "near", "half", "double"]);

const ROWS: [string, number][] = [
  ["1234567890-", 0],
  ["qwertyuiop", 0.5],
  ["asdfghjkl;'", 0.75],
  ["zxcvbnm,./", 1.25],
];
const PLACES = new Map(
  ROWS.flatMap(([letters, shift], row) =>
    [...letters].map((letter, column): [string, [number, number]] => [letter, [column + shift, row]]),
  ),
);

/** Whether two keys of a US keyboard touch. */
function neighbours(one: string, other: string): boolean {
  const a = PLACES.get(one);
  const b = PLACES.get(other);
  return one !== other && !!a && !!b && Math.hypot(a[0] - b[0], a[1] - b[1]) < 1.3;
}

/** Whether a character can stand inside a word: letters, digits, apostrophes. */
export function isWordLetter(letter: string): boolean {
  return /^[\p{L}\p{N}'’]$/u.test(letter);
}

/** A token as it is remembered: lower case, with a straight apostrophe, none outside. */
export function plain(token: string): string {
  return token
    .replaceAll("’", "'")
    .replace(/^'+|'+$/g, "")
    .toLowerCase();
}

interface Edit {
  kind: string;
  key: string;
}

/** How much two texts share at their beginning and, of what is left, at their end. */
function shared(one: string, other: string): [number, number] {
  const most = Math.min(one.length, other.length);
  let start = 0;
  while (start < most && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < most - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  return [start, end];
}

/** The single edit that makes `slip` of `put`, or null if there is no single one. */
export function editBetween(put: string, slip: string): Edit | null {
  const [start, end] = shared(put, slip);
  const gone = put.slice(start, put.length - end);
  const came = slip.slice(start, slip.length - end);
  if (gone.length === 2 && came.length === 2 && gone[0] === came[1] && gone[1] === came[0])
    return { kind: "swap", key: `swap:${gone}` };
  if (gone.length === 1 && came.length === 1)
    return { kind: neighbours(gone, came) ? "near" : "change", key: `change:${gone}${came}` };
  const before = start ? put[start - 1] : "";
  if (gone.length === 1 && !came)
    return { kind: before === gone ? "half" : "out", key: `out:${before}${gone}` };
  if (came.length === 1 && !gone)
    return { kind: before === came ? "double" : "in", key: `in:${before}${came}` };
  return null;
}

/** Edit distance with adjacent letters swapped (optimal string alignment). */
export function distance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= one.length; i++) {
    const above = rows[i - 1]!;
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      let cost = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + same);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        cost = Math.min(cost, rows[i - 2]![j - 2]! + 1);
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[one.length]![other.length]!;
}

/** A slip and what the person put in its place. */
export interface Correction {
  slip: string;
  put: string;
  /** The slip stood for all of the word; else for its beginning, `matched`. */
  whole: boolean;
  matched: string;
  /** Where the word begins in the field. */
  start: number;
}

/** The correction that replacing `slip` by `put` was, or null if it was something else. */
export function judge(slipToken: string, putToken: string, start: number): Correction | null {
  const slip = plain(slipToken);
  const put = plain(putToken);
  if (!slip || !put || slip === put) return null;
  let best = distance(slip, put);
  let matched = put;
  const last = Math.min(put.length - 1, slip.length + 1);
  for (let letters = Math.max(1, slip.length - 1); letters <= last; letters++) {
    const part = put.slice(0, letters);
    const apart = distance(slip, part);
    if (apart < best) [best, matched] = [apart, part];
  }
  if (best === 0 || best > (matched.length <= 4 ? 1 : 2) || slip.length < 2) return null;
  return { slip, put, whole: matched === put, matched, start };
}

/** Where the word around `text[start:end]` begins and ends. */
export function tokenAt(text: string, start: number, end: number): [number, number] {
  let first = Math.min(start, text.length);
  let last = Math.min(end, text.length);
  while (first && isWordLetter(text[first - 1]!)) first -= 1;
  while (last < text.length && isWordLetter(text[last]!)) last += 1;
  return [first, last];
}

/** What one change of the text told: a correction, a word that was finished, or neither. */
export interface Seen {
  correction: Correction | null;
  word: string;
}

/** The text of one field, change by change. */
export class Watch {
  private open: { start: number; slip: string } | null = null;

  text: string;

  constructor(text = "") {
    this.text = text;
  }

  /** Take in the text after one edit. */
  change(text: string): Seen {
    const old = this.text;
    this.text = text;
    const [start, end] = shared(old, text);
    const removed = old.slice(start, old.length - end);
    const added = text.slice(start, text.length - end);
    let correction: Correction | null = null;
    if (this.open && !within(old, this.open.start, start, old.length - end))
      correction = this.close(old);
    if ([...removed].some(isWordLetter)) {
      const [first, last] = tokenAt(old, start, start + removed.length);
      if (![...removed.trim()].every(isWordLetter)) this.open = null;
      else if (this.open?.start !== first)
        this.open = { start: first, slip: old.slice(first, last) };
    }
    let word = "";
    if (added && !isWordLetter(added.at(-1)!)) {
      const place = start + added.trimEnd().length;
      const [first, last] = tokenAt(text, place, place);
      if (last === place) word = plain(text.slice(first, last));
      if (this.open?.start === first) correction = this.close(text);
    }
    return { correction, word };
  }

  /** Take in that the field was left. */
  leave(): Correction | null {
    return this.close(this.text);
  }

  private close(text: string): Correction | null {
    if (!this.open) return null;
    const { start, slip } = this.open;
    this.open = null;
    const [first, last] = tokenAt(text, start, start);
    return first === start ? judge(slip, text.slice(first, last), start) : null;
  }
}

function within(text: string, word: number, start: number, end: number): boolean {
  const [first, last] = tokenAt(text, word, word);
  return first === word && word <= start && end <= last;
}

/**
 * What was probably meant, and why: `again` (corrected so before), the kind of a habit, or `known`
 * (a word that others know, one edit away).
 */
export interface Hint {
  put: string;
  why: string;
}

type Counts = Map<string, number>;

function count(counts: Counts, word: string, change: number): void {
  const now = (counts.get(word) ?? 0) + change;
  if (now > 0) counts.set(word, now);
  else counts.delete(word);
}

/** Order by code point, as Python does. */
export function before(one: string, other: string): number {
  const a = [...one].map((letter) => letter.codePointAt(0)!);
  const b = [...other].map((letter) => letter.codePointAt(0)!);
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** What one person taught; `forget` empties it. */
export class Own {
  corrections = 0;
  readonly kept: Counts = new Map();
  private readonly given: ReadonlySet<string>;
  private others: ReadonlySet<string> = new Set();
  private readonly put = new Map<string, Counts>();
  private readonly habits: Counts = new Map();
  private readonly refused = new Set<string>();

  constructor(given: readonly string[] = []) {
    this.given = new Set(given.map(plain));
  }

  forget(): void {
    this.corrections = 0;
    for (const held of [this.kept, this.put, this.habits, this.refused]) held.clear();
  }

  /** Words that others know, the most common first: they are no slips, and stand for some. */
  knows(words: readonly string[]): void {
    this.others = new Set(words.map(plain));
  }

  /** Learn a word that was left standing. */
  word(word: string): void {
    if (word && (this.kept.has(word) || this.kept.size < WORDS_MAX)) count(this.kept, word, 1);
  }

  /** Learn a correction. */
  correct({ slip, put, whole, matched }: Correction): void {
    if (this.corrections >= CORRECTIONS_MAX) return;
    this.corrections += 1;
    if (whole) {
      count(this.puts(slip), put, 1);
      count(this.kept, slip, -1);
    }
    const edit = editBetween(matched, slip);
    if (!edit) return;
    count(this.habits, edit.key, 1);
    count(this.habits, edit.kind, 1);
  }

  /** Learn that a hint was taken. */
  accept(slip: string, put: string): void {
    const meant = plain(put);
    this.correct({ slip: plain(slip), put: meant, whole: true, matched: meant, start: 0 });
    this.word(meant);
  }

  /** Learn that a hint was taken back: it is not given again. */
  refuse(slipToken: string, putToken: string): void {
    const slip = plain(slipToken);
    const put = plain(putToken);
    this.refused.add(`${slip} ${put}`);
    count(this.puts(slip), put, -1);
    count(this.kept, put, -1);
    this.word(slip);
  }

  /** What was probably meant by a token that was just left and learned as a word; null: leave it. */
  hint(token: string): Hint | null {
    const typed = plain(token);
    const kept = this.kept.get(typed) ?? 0;
    const ranked = [...(this.put.get(typed) ?? [])].sort((a, b) => b[1] - a[1] || before(a[0], b[0]));
    for (const [put, times] of ranked)
      if (!this.refused.has(`${typed} ${put}`) && kept <= times) return { put, why: "again" };
    if (typed.length < LETTERS_MIN || this.given.has(typed) || kept > 1) return null;
    let best: { put: string; why: string; score: number; kept: number } | null = null;
    for (const word of this.known()) {
      if (word === typed || Math.abs(word.length - typed.length) > 1) continue;
      if (this.refused.has(`${typed} ${word}`)) continue;
      const edit = editBetween(word, typed);
      if (!edit) continue;
      const specific = this.habits.get(edit.key) ?? 0;
      const kind = KINDS.has(edit.kind) ? (this.habits.get(edit.kind) ?? 0) : 0;
      if (!specific && kind < KIND_MIN) continue;
      const score = SPECIFIC_WEIGHT * specific + kind;
      const times = this.kept.get(word) ?? 0;
      if (!best || score > best.score || (score === best.score && times > best.kept))
        best = { put: word, why: edit.kind, score, kept: times };
    }
    if (best) return { put: best.put, why: best.why };
    return this.of(typed);
  }

  /** The most common word of others, one edit away from one that they do not know. */
  private of(typed: string): Hint | null {
    if (typed.length < KNOWN_LETTERS_MIN || this.others.has(typed)) return null;
    let place = 0;
    for (const put of this.others) {
      if (place === PUT_MAX) break;
      place += 1;
      if (put.length < KNOWN_LETTERS_MIN || Math.abs(put.length - typed.length) > 1) continue;
      if (editBetween(put, typed) && !this.refused.has(`${typed} ${put}`))
        return { put, why: "known" };
    }
    return null;
  }

  private puts(slip: string): Counts {
    const found = this.put.get(slip) ?? new Map<string, number>();
    this.put.set(slip, found);
    return found;
  }

  private known(): string[] {
    const puts = [...this.put.values()].flatMap((counts) => [...counts.keys()]);
    const all = new Set([...this.kept.keys(), ...puts, ...this.given]);
    return [...all].filter((word) => word.length >= LETTERS_MIN).sort(before);
  }
}

/** `put` in the case of `token`: all capitals, a capital first, or as it is. */
export function inCaseOf(token: string, put: string): string {
  if (token.length > 1 && token.toUpperCase() === token && token.toLowerCase() !== token)
    return put.toUpperCase();
  const first = token.slice(0, 1);
  if (first.toUpperCase() === first && first.toLowerCase() !== first)
    return put.slice(0, 1).toUpperCase() + put.slice(1);
  return put;
}
