import { Command, KeyClass, Modifier, SYMBOL_NAMED_BASE } from "./generated.ts";

const NAMED: Readonly<Record<string, number>> = {
  Enter: KeyClass.ENTER,
  Backspace: KeyClass.BACKSPACE,
  Delete: KeyClass.DELETE,
  Tab: KeyClass.TAB,
  Shift: KeyClass.SHIFT,
  Control: KeyClass.CONTROL,
  Alt: KeyClass.ALT,
  AltGraph: KeyClass.ALT,
  Meta: KeyClass.META,
  OS: KeyClass.META,
  CapsLock: KeyClass.CAPS_LOCK,
  ArrowUp: KeyClass.ARROW,
  ArrowDown: KeyClass.ARROW,
  ArrowLeft: KeyClass.ARROW,
  ArrowRight: KeyClass.ARROW,
  Home: KeyClass.NAVIGATION,
  End: KeyClass.NAVIGATION,
  PageUp: KeyClass.NAVIGATION,
  PageDown: KeyClass.NAVIGATION,
  Escape: KeyClass.ESCAPE,
  Dead: KeyClass.COMPOSING,
  Process: KeyClass.COMPOSING,
  Unidentified: KeyClass.COMPOSING,
};

/** The parts of a keyboard event that are looked at, at the hook and nowhere else. */
export type Key = Pick<
  KeyboardEvent,
  "key" | "code" | "keyCode" | "isComposing" | "repeat" | "shiftKey" | "ctrlKey" | "altKey" | "metaKey"
>;

/**
 * Class of a key. It goes by what the key means on the person's own layout (`key`), so that no
 * key map is assumed; `code` decides only where a browser gives no meaning.
 */
export function keyClass({ key, code, keyCode, isComposing }: Key): number {
  if (isComposing || keyCode === 229) return KeyClass.COMPOSING;
  if (key.length > 1) {
    const named = NAMED[key];
    if (named === KeyClass.COMPOSING && NAMED[code]) return NAMED[code];
    if (named) return named;
    if (/^F\d\d?$/.test(key)) return KeyClass.FUNCTION;
  }
  // Most keys by far: to make the patterns below takes a browser milliseconds.
  if (/^[a-z ]$/i.test(key)) return key === " " ? KeyClass.SPACE : KeyClass.LETTER;
  if ([...key].length !== 1) return KeyClass.OTHER;
  if (/[\p{L}\p{M}]/u.test(key)) return KeyClass.LETTER;
  if (/\p{N}/u.test(key)) return KeyClass.DIGIT;
  return /[\p{Z}\s]/u.test(key) ? KeyClass.SPACE : KeyClass.PUNCTUATION;
}

/** Level `keys` only: the code point of a character, or the class of a named key. */
export function keySymbol(key: string, class_: number): number {
  const one = [...key].length === 1 && class_ !== KeyClass.COMPOSING;
  return one ? (key.codePointAt(0) ?? 0) : SYMBOL_NAMED_BASE + class_;
}

/** `Modifier` bits of a key event. */
export const modifiers = (event: Key): number =>
  (event.shiftKey ? Modifier.SHIFT : 0) |
  (event.ctrlKey ? Modifier.CONTROL : 0) |
  (event.altKey ? Modifier.ALT : 0) |
  (event.metaKey ? Modifier.META : 0) |
  (event.repeat ? Modifier.REPEAT : 0) |
  (event.isComposing ? Modifier.COMPOSING : 0);

/** Letters of shortcuts, in the order of `Command`; the first three come as events of their own. */
const COMMANDS = "zyafsprbiu";
/** Those events, in the same order. */
export const CLIPBOARD = ["copy", "cut", "paste"] as const;

/**
 * What a shortcut asks for, or 0. By the letter on the person's layout; where that has no such
 * letters, by the key that has it elsewhere. `apple`: commands go with ⌘, and Ctrl moves the caret.
 */
export function commandOf(event: Key, apple: boolean): number {
  const { key, code, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (altKey || ctrlKey === apple || metaKey !== apple) return 0;
  const letter = (/^[!-~]$/.test(key) ? key : code.slice(3)).toLowerCase();
  if (shiftKey) return letter === "z" ? Command.REDO : 0;
  const at = letter.length === 1 ? COMMANDS.indexOf(letter) : -1;
  return at < 0 ? 0 : at + Command.UNDO;
}

const CHARACTERS: readonly number[] = [
  KeyClass.LETTER,
  KeyClass.DIGIT,
  KeyClass.PUNCTUATION,
  KeyClass.SPACE,
  KeyClass.COMPOSING,
  KeyClass.OTHER,
];

/** Whether a key may be recorded outside of any field: no character, unless it is a shortcut. */
export function isPlain(class_: number, event: Key): boolean {
  const shortcut = (event.ctrlKey || event.metaKey) && !event.altKey;
  return !CHARACTERS.includes(class_) || (shortcut && class_ !== KeyClass.COMPOSING);
}
