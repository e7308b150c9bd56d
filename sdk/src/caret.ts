import { editingHost, isPlainField } from "./gate.ts";

const PRECEDING = 2;
const FOLLOWING = 4;

/** Where the caret is, and how many characters are selected. */
export type Caret = { node: Node; offset: number; chars: number };

/** Characters between the ends of a range. */
export function lengthOf({ startContainer, startOffset, endContainer, endOffset }: StaticRange): number {
  const range = document.createRange();
  range.setStart(startContainer, startOffset);
  range.setEnd(endContainer, endOffset);
  return range.toString().length;
}

/** The caret in a field, or null where it is not known. */
export function caretOf(field: HTMLElement): Caret | null {
  if (isPlainField(field)) {
    const { selectionStart: start, selectionEnd: end } = field;
    if (start === null || end === null) return null;
    const isBackward = start < end && field.selectionDirection === "backward";
    const offset = isBackward ? start : end;
    return { node: field, offset, chars: end - start };
  }
  const selection = document.getSelection();
  const node = selection?.focusNode;
  if (!selection || !node || !editingHost(field).contains(node)) return null;
  const chars = selection.isCollapsed ? 0 : lengthOf(selection.getRangeAt(0));
  return { node, offset: selection.focusOffset, chars };
}

/** 1: the caret went back, 2: forward, 0: it stayed, or is in another field now. */
export function direction(before: Caret, after: Caret): number {
  if (before.node === after.node)
    return after.offset === before.offset ? 0 : after.offset < before.offset ? 1 : 2;
  if (isPlainField(before.node)) return 0;
  const order = before.node.compareDocumentPosition(after.node);
  return order & PRECEDING ? 1 : order & FOLLOWING ? 2 : 0;
}
