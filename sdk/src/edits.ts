import { Edit } from "./generated.ts";

/** What each member of `Edit` but NONE and OTHER is called, in their order; the first that fits. */
const EDITS: readonly RegExp[] = [
  /^insertText$/,
  /^insert(Line|Para)/,
  /^insert.*Composition/,
  /^insert.*(Paste|Yank)/,
  /^insert.*Drop/,
  /^insertReplace/,
  /^deleteContentB/,
  /^deleteContentF/,
  /^deleteWordB/,
  /^deleteWordF/,
  /^delete.*Line/,
  /^delete.*Cut/,
  /^delete/,
  /Undo$/,
  /Redo$/,
  /^format/,
];

/** What an edit did, from `inputType` (W3C Input Events Level 2). */
export const editOf = (inputType: string): number =>
  EDITS.findIndex((called) => called.test(inputType)) + 1 || Edit.OTHER;

const COARSE: readonly number[] = [
  Edit.INSERT_PASTE,
  Edit.INSERT_DROP,
  Edit.DELETE_CUT,
  Edit.UNDO,
  Edit.REDO,
];

const EXTENT_MAX = 2 ** 14;

/** The next power of two, for extents that are not to be exact. */
export const about = (chars: number): number =>
  chars > 0 ? Math.min(2 ** Math.ceil(Math.log2(chars)), EXTENT_MAX) : 0;

/** Characters as recorded: exact when typed; the next power of two for paste, drop, cut and undo. */
export function extent(edit: number, chars: number): number {
  const bounded = Math.min(Math.abs(chars), EXTENT_MAX);
  return COARSE.includes(edit) ? about(bounded) : bounded;
}

/** What is known of a field before an edit. */
export interface Before {
  /** Its length and how much was selected, characters; -1 where there is no plain value. */
  length: number;
  selected: number;
  /** Length of what the browser said it would insert or delete, characters. */
  said: number;
}

const SAYING: readonly number[] = [
  Edit.INSERT_TEXT,
  Edit.INSERT_COMPOSITION,
  Edit.INSERT_REPLACEMENT,
];

/**
 * Characters inserted, or deleted, by an edit that left the field `length_after` long; and those
 * that an insertion took the place of: the selection, a corrected word, what was composed so far.
 */
export function changed(edit: number, before: Before, length_after: number): [number, number] {
  const { length, selected, said } = before;
  const inserts = edit <= Edit.INSERT_REPLACEMENT;
  if (length < 0) return [said, inserts ? selected : 0];
  const grown = length_after - length;
  if (!inserts) return [grown, 0];
  const inserted = said && SAYING.includes(edit) ? said : Math.max(0, grown + selected);
  return [inserted, Math.max(0, inserted - grown)];
}
