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

/** Characters as recorded: exact when typed; the next power of two for paste, drop, cut and undo. */
export function extent(edit: number, chars: number): number {
  const bounded = Math.max(0, Math.min(Math.abs(chars), 2 ** 14));
  return COARSE.includes(edit) && bounded > 0 ? 2 ** Math.ceil(Math.log2(bounded)) : bounded;
}

/** What is known of a field before an edit. */
export interface Before {
  /** Its length and how much was selected, characters; -1 where there is no plain value. */
  length: number;
  selected: number;
  /** Length of what the browser said it would insert or delete, characters. */
  said: number;
}

/** Characters inserted, or deleted, by an edit that left the field `length_after` long. */
export function changed(edit: number, before: Before, length_after: number): number {
  if (before.length < 0 || edit === Edit.INSERT_TEXT || edit === Edit.INSERT_COMPOSITION)
    return before.said;
  const grown = length_after - before.length;
  return edit <= Edit.INSERT_REPLACEMENT ? Math.max(0, grown + before.selected) : grown;
}
