import assert from "node:assert/strict";
import { test } from "node:test";
import { clockResolution_us } from "../src/clock.ts";
import { about, changed, editOf, extent } from "../src/edits.ts";
import { BLANK } from "../src/event.ts";
import { typeAllows } from "../src/gate.ts";
import { Command, Edit, KeyClass, Kind, Modifier, Role, SYMBOL_NAMED_BASE } from "../src/generated.ts";
import { type Key, commandOf, isPlain, keyClass, keySymbol, modifiers } from "../src/keys.ts";
import { follows } from "../src/paths.ts";
import { purposesFor } from "../src/purpose.ts";
import { roleOf } from "../src/roles.ts";
import { isSecretToken } from "../src/secrets.ts";
import { outcomeOf, wait_ms } from "../src/sender.ts";
import { Slots } from "../src/slots.ts";
import { type EventWords, describe } from "../src/words.ts";

const NO_KEY: Key = {
  key: "",
  code: "",
  keyCode: 0,
  isComposing: false,
  repeat: false,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
};
const key = (name: string, more: Partial<Key> = {}): Key => ({ ...NO_KEY, key: name, ...more });

test("a key has the class of what it means on the person's layout", () => {
  const expected: [string, number][] = [
    ["a", KeyClass.LETTER],
    ["Ж", KeyClass.LETTER],
    ["ß", KeyClass.LETTER],
    ["日", KeyClass.LETTER],
    ["7", KeyClass.DIGIT],
    ["٣", KeyClass.DIGIT],
    [",", KeyClass.PUNCTUATION],
    ["€", KeyClass.PUNCTUATION],
    [" ", KeyClass.SPACE],
    ["\u00a0", KeyClass.SPACE],
    ["Enter", KeyClass.ENTER],
    ["Backspace", KeyClass.BACKSPACE],
    ["AltGraph", KeyClass.ALT],
    ["ArrowLeft", KeyClass.ARROW],
    ["PageDown", KeyClass.NAVIGATION],
    ["F5", KeyClass.FUNCTION],
    ["Dead", KeyClass.COMPOSING],
    ["MediaPlayPause", KeyClass.OTHER],
  ];
  for (const [name, class_] of expected) assert.equal(keyClass(key(name)), class_, name);
  assert.equal(keyClass(key("a", { isComposing: true })), KeyClass.COMPOSING);
  assert.equal(keyClass(key("a", { keyCode: 229 })), KeyClass.COMPOSING);
  assert.equal(keyClass(key("Unidentified", { code: "Enter" })), KeyClass.ENTER);
});

test("outside of fields only keys without a character are recorded, or shortcuts", () => {
  const plain = (name: string, more: Partial<Key> = {}) =>
    isPlain(keyClass(key(name, more)), key(name, more));
  assert.ok(plain("Tab") && plain("ArrowUp") && plain("Enter"));
  assert.ok(plain("s", { ctrlKey: true }) && plain("c", { metaKey: true }));
  for (const name of ["s", "7", "?", " ", "Dead"]) assert.ok(!plain(name), name);
  assert.ok(!plain("@", { ctrlKey: true, altKey: true }), "AltGr types characters");
});

test("a shortcut is a command by what it means on the person's layout", () => {
  const command = (name: string, more: Partial<Key> = {}, apple = false) =>
    commandOf(key(name, apple ? { metaKey: true, ...more } : { ctrlKey: true, ...more }), apple);
  assert.equal(command("z"), Command.UNDO);
  assert.equal(command("Z", { shiftKey: true }), Command.REDO);
  assert.equal(command("f", {}, true), Command.FIND);
  assert.equal(command("я", { code: "KeyZ" }), Command.UNDO, "a layout without Latin letters");
  assert.equal(command("y", { code: "KeyZ" }), Command.REDO, "a German keyboard");
  assert.equal(command("c"), 0, "the browser says so itself, by key and by menu");
  assert.equal(command("a", { altKey: true }), 0, "AltGr types characters");
  assert.equal(command("a", { metaKey: false, ctrlKey: true }, true), 0, "on a Mac Ctrl moves");
  assert.equal(commandOf(key("z"), false), 0);
});

test("a symbol is a code point, or the class of a named key", () => {
  assert.equal(keySymbol("é", KeyClass.LETTER), 0xe9);
  assert.equal(keySymbol("🙂", KeyClass.PUNCTUATION), 0x1f642);
  assert.equal(keySymbol("Enter", KeyClass.ENTER), SYMBOL_NAMED_BASE + KeyClass.ENTER);
  assert.equal(keySymbol("a", KeyClass.COMPOSING), SYMBOL_NAMED_BASE + KeyClass.COMPOSING);
});

test("modifiers are bits", () => {
  const event = key("a", { shiftKey: true, metaKey: true, repeat: true });
  assert.equal(modifiers(event), Modifier.SHIFT | Modifier.META | Modifier.REPEAT);
});

test("slots pair releases with presses when keys roll over", () => {
  const slots = new Slots();
  assert.equal(slots.press("KeyA", KeyClass.LETTER, 0, false).slot, 1);
  assert.equal(slots.press("KeyB", KeyClass.LETTER, 0, false).slot, 2);
  assert.equal(slots.press("KeyA", KeyClass.LETTER, 0, true).slot, 1);
  assert.equal(slots.release("KeyA")?.slot, 1);
  assert.equal(slots.press("Digit1", KeyClass.DIGIT, 0, false).slot, 1);
  assert.equal(slots.release("KeyB")?.slot, 2);
  assert.deepEqual(slots.release("Digit1"), { slot: 1, key_class: KeyClass.DIGIT, key_symbol: 0 });
  assert.equal(slots.release("Digit1"), null);
  slots.press("KeyC", KeyClass.LETTER, 0, false);
  slots.clear();
  assert.equal(slots.release("KeyC"), null);
});

test("edits are named by inputType, and pasted lengths are coarse", () => {
  assert.equal(editOf("insertText"), Edit.INSERT_TEXT);
  assert.equal(editOf("deleteByCut"), Edit.DELETE_CUT);
  assert.equal(editOf("formatBold"), Edit.FORMAT);
  assert.equal(editOf("insertOrderedList"), Edit.OTHER);
  assert.equal(editOf(""), Edit.OTHER);
  assert.equal(extent(Edit.INSERT_TEXT, 3), 3);
  assert.equal(extent(Edit.DELETE_WORD_BACKWARD, -5), 5);
  for (const [chars, bucket] of [[0, 0], [1, 1], [3, 4], [64, 64], [65, 128], [10 ** 6, 2 ** 14]])
    assert.equal(extent(Edit.INSERT_PASTE, chars as number), bucket);
});

test("the extent of an edit counts what was replaced", () => {
  const before = { length: 10, selected: 4, said: 0 };
  const typed = { ...before, said: 1 };
  assert.deepEqual(changed(Edit.INSERT_PASTE, before, 13), [7, 4]);
  assert.equal(extent(Edit.DELETE_CHAR_BACKWARD, changed(Edit.DELETE_CHAR_BACKWARD, before, 6)[0]), 4);
  assert.deepEqual(changed(Edit.INSERT_TEXT, typed, 7), [1, 4]);
  assert.deepEqual(changed(Edit.INSERT_TEXT, { ...typed, selected: 0 }, 11), [1, 0]);
  const corrected = { length: 10, selected: 0, said: 3 };
  assert.deepEqual(changed(Edit.INSERT_REPLACEMENT, corrected, 10), [3, 3], "teh, the");
  assert.deepEqual(changed(Edit.INSERT_COMPOSITION, { ...corrected, said: 2 }, 11), [2, 1]);
  const rich = { length: -1, selected: 5, said: 2 };
  assert.deepEqual(changed(Edit.INSERT_TEXT, rich, 0), [2, 5]);
  assert.deepEqual(changed(Edit.DELETE_WORD_BACKWARD, { ...rich, said: 5 }, 0), [5, 0]);
  assert.deepEqual([0, 1, 3, 10 ** 6].map(about), [0, 1, 4, 2 ** 14]);
});

test("secret and unknown fields are never text", () => {
  for (const type of ["password", "hidden", "date", "x-unknown", ""])
    assert.equal(typeAllows(type), "nothing", type);
  assert.equal(typeAllows(null), "text");
  assert.equal(typeAllows("EMAIL"), "text");
  assert.equal(typeAllows("checkbox"), "control");
  for (const tokens of ["cc-number", "section-a new-password", "One-Time-Code"])
    assert.ok(isSecretToken(tokens), tokens);
  assert.ok(!isSecretToken("name") && !isSecretToken("off"));
});

test("roles come from tag, role and type alone", () => {
  assert.equal(roleOf("BUTTON", "", "", false), Role.BUTTON);
  assert.equal(roleOf("INPUT", "", "checkbox", false), Role.CHECKBOX);
  assert.equal(roleOf("INPUT", "", "", false), Role.TEXT_FIELD);
  assert.equal(roleOf("DIV", "menuitem", "", false), Role.MENU_ITEM);
  assert.equal(roleOf("DIV", "", "", true), Role.EDITABLE);
  assert.equal(roleOf("DIV", "unheard-of", "", false), Role.OTHER);
});

test("an event goes to the purposes that need it, and to none without consent", () => {
  const all = ["typing-assist", "next-action", "person-or-program"];
  assert.deepEqual(purposesFor(Kind.KEY_DOWN, all), [...all].sort());
  assert.deepEqual(purposesFor(Kind.POINTER_MOVE, all), ["person-or-program"]);
  assert.deepEqual(purposesFor(Kind.POINTER_MOVE, ["typing-assist"]), []);
  assert.deepEqual(purposesFor(Kind.PAUSE, ["typing-assist"]), ["typing-assist"]);
  assert.deepEqual(purposesFor(Kind.KEY_DOWN, []), []);
  assert.deepEqual(purposesFor(Kind.KEY_DOWN, ["emotion", "constructor"]), []);
});

test("only an acknowledgement, and no error, ends an entry as acknowledged", () => {
  for (const status of [200, 409]) assert.equal(outcomeOf(status, 5), "acknowledged");
  for (const status of [0, 201, 204, 301, 401, 403, 404, 429, 500, 503])
    assert.equal(outcomeOf(status, 5), "wait", `${status}`);
  assert.equal(outcomeOf(410, 5), "gone");
  assert.equal(outcomeOf(413, 5), "split");
  assert.equal(outcomeOf(413, 1), "quarantined");
  for (const status of [400, 422]) assert.equal(outcomeOf(status, 5), "quarantined");
});

test("waiting doubles, has jitter, ends growing, and is at least as told", () => {
  assert.equal(wait_ms(1, null, 1), 1000);
  assert.equal(wait_ms(1, null, 0), 500);
  assert.equal(wait_ms(4, null, 1), 8000);
  assert.equal(wait_ms(40, null, 1), 300_000);
  assert.ok(wait_ms(1, "30", 0) >= 30_000);
  assert.ok(wait_ms(1, "nonsense", 0) <= 1000 && wait_ms(1, "-5", 0) > 0);
  const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
  assert.ok(wait_ms(1, inAnHour, 0) >= 3_598_000 && wait_ms(1, inAnHour, 1) <= 3_601_000);
});

test("the clock's resolution is its smallest step, and a stopped clock does not hang", () => {
  let now = 0;
  let calls = 0;
  assert.equal(clockResolution_us(() => (++calls % 3 ? now : (now += 0.1))), 100);
  assert.equal(clockResolution_us(() => 5), 100_000);
});

test("an element that a page calls navigation is not taken for the browser's word of paths", () => {
  const page: { navigation?: object } = {};
  Object.assign(globalThis, { window: page });
  let moved = 0;
  assert.ok(!follows(() => (moved += 1)));
  page.navigation = new EventTarget();
  assert.ok(!follows(() => (moved += 1)));
  const told = Object.assign(new EventTarget(), { currentEntry: {} });
  page.navigation = told;
  assert.ok(follows(() => (moved += 1)));
  told.dispatchEvent(new Event("currententrychange"));
  assert.equal(moved, 1);
});

test("an event is described in the words of any notice, and what cannot be seen is shown", () => {
  const pseudo = (set: object) =>
    Object.fromEntries(Object.keys(set).map((name) => [name.toLowerCase(), `«${name.length}»`]));
  const words: EventWords = {
    kind: pseudo(Kind),
    key_class: pseudo(KeyClass),
    edit: pseudo(Edit),
    command: pseudo(Command),
    role: pseudo(Role),
    characters: "«{count}»",
  };
  const key = { ...BLANK, kind: Kind.KEY_DOWN, key_class: KeyClass.SPACE, key_symbol: 32 };
  assert.equal(describe({ ...key, role: Role.TEXT_AREA }), "key down · space · ␣ · text area");
  for (const kind of Object.values(Kind)) {
    const event = { ...key, kind, edit: Edit.DELETE_WORD_BACKWARD, edit_chars: 4, value: 1, role: 4 };
    assert.doesNotMatch(describe(event, words).replace(/ px$/, ""), /[a-z]/i);
    assert.match(describe(event), /delete word backward · characters: 4/);
  }
});
