import { Edit } from "./generated.ts";

const EDITS: Readonly<Record<string, number>> = {
  insertText: Edit.INSERT_TEXT,
  insertLineBreak: Edit.INSERT_LINE,
  insertParagraph: Edit.INSERT_LINE,
  insertCompositionText: Edit.INSERT_COMPOSITION,
  insertFromComposition: Edit.INSERT_COMPOSITION,
  insertFromPaste: Edit.INSERT_PASTE,
  insertFromPasteAsQuotation: Edit.INSERT_PASTE,
  insertFromYank: Edit.INSERT_PASTE,
  insertFromDrop: Edit.INSERT_DROP,
  insertReplacementText: Edit.INSERT_REPLACEMENT,
  deleteContentBackward: Edit.DELETE_CHAR_BACKWARD,
  deleteContentForward: Edit.DELETE_CHAR_FORWARD,
  deleteWordBackward: Edit.DELETE_WORD_BACKWARD,
  deleteWordForward: Edit.DELETE_WORD_FORWARD,
  deleteSoftLineBackward: Edit.DELETE_LINE,
  deleteSoftLineForward: Edit.DELETE_LINE,
  deleteHardLineBackward: Edit.DELETE_LINE,
  deleteHardLineForward: Edit.DELETE_LINE,
  deleteEntireSoftLine: Edit.DELETE_LINE,
  deleteByCut: Edit.DELETE_CUT,
  deleteByDrag: Edit.DELETE_OTHER,
  deleteContent: Edit.DELETE_OTHER,
  deleteByComposition: Edit.DELETE_OTHER,
  deleteCompositionText: Edit.DELETE_OTHER,
  historyUndo: Edit.UNDO,
  historyRedo: Edit.REDO,
};

/** What an edit did, from `inputType` (W3C Input Events Level 2). */
export function editOf(inputType: string): number {
  return EDITS[inputType] ?? (inputType.startsWith("format") ? Edit.FORMAT : Edit.OTHER);
}

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
