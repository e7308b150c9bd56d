import { toMicroseconds } from "./clock.ts";
import { type Before, about, changed, editOf, extent } from "./edits.ts";
import type { Facts } from "./event.ts";
import { type Gate, editingHost, focused } from "./gate.ts";
import { Command, Edit, KeyClass, Kind, Pointer, Role } from "./generated.ts";
import { commandOf, isPlain, keyClass, keySymbol, modifiers } from "./keys.ts";
import { WHOLE, roleOf } from "./roles.ts";
import { Slots } from "./slots.ts";

/** Where events go: the session, if a consented purpose needs their kind. */
export interface Sink {
  wants(kind: number): boolean;
  /** Asked before anything is looked at: recording, and the indicator in its place. */
  isOpen(): boolean;
  add(kind: number, t_us: number, facts: Facts, source: Event | null): void;
  /** A script made this event; it is ignored. */
  untrusted(): void;
}

const POINTERS: Readonly<Record<string, number>> = {
  mouse: Pointer.MOUSE,
  touch: Pointer.TOUCH,
  pen: Pointer.PEN,
};
const CLIPBOARD: Readonly<Record<string, number>> = {
  copy: Command.COPY,
  cut: Command.CUT,
  paste: Command.PASTE,
};
const APPLE = /^(Mac|iP)/.test(navigator.platform);
const LINE_CSS_PX = 16;
const NUMBER_MAX = 32767;

const bounded = (value: number, max: number): number =>
  Math.max(-max, Math.min(max, Math.round(value) || 0));

const canBeAimedAt = (role: number): boolean => role < Role.IMAGE || role === Role.TARGET;

/** Numbers elements in order of first contact, and gives their role. */
class Elements {
  /** The element that was asked for last. */
  found: Element = document.documentElement;
  #numbers = new WeakMap<Element, number>();
  #next = 1;

  /** `only`: elements that can be aimed at; others get no number. */
  of(target: EventTarget | null, only = false): { role: number; element: number } {
    let found = target instanceof Element ? target : document.documentElement;
    let role = this.#role(found);
    for (let up = found.parentElement, steps = 0; up && steps < 6; up = up.parentElement) {
      const around = this.#role(up);
      if (WHOLE.includes(role)) break;
      if (WHOLE.includes(around)) [found, role] = [up, around];
      steps += 1;
    }
    this.found = found;
    if (only && !canBeAimedAt(role)) return { role: 0, element: 0 };
    let element = this.#numbers.get(found);
    if (element === undefined) {
      element = Math.min(this.#next, NUMBER_MAX);
      this.#numbers.set(found, element);
      this.#next += 1;
    }
    return { role, element };
  }

  #role(element: Element): number {
    const editable = element instanceof HTMLElement && element.isContentEditable;
    const type = element.tagName === "INPUT" ? (element.getAttribute("type") ?? "") : "";
    return roleOf(element.tagName, element.getAttribute("role") ?? "", type, editable);
  }
}

/** The element an event went to, inside of open shadow roots too. */
const targetOf = (event: Event): EventTarget | null => event.composedPath()[0] ?? event.target;

/** Where the caret is, and how many characters are selected. */
type Caret = { node: Node; offset: number; chars: number };

/**
 * Listens to the page: passive, in the capture phase, only for kinds that a purpose needs, and only
 * between `start` and `stop`. What a listener may look at, the gate says first.
 */
export class Capture {
  #gate: Gate;
  #sink: Sink;
  #keys: boolean;
  #paths: RegExp[];
  #path = "";
  #hovered = 0;
  #view = "";
  #ends: AbortController | null = null;
  #elements = new Elements();
  #slots = new Slots();
  #before: Before | null = null;
  /** Place of the pointer's last sample. */
  #last: Facts = {};
  #edited = false;
  #composing = false;
  #caret: Caret | null = null;
  #scrolled = new WeakMap<object, [number, number]>();

  /** `keys`: the study's level keeps characters of listed fields. `paths`: pages it tells apart. */
  constructor(gate: Gate, sink: Sink, keys: boolean, paths: readonly string[] = []) {
    this.#gate = gate;
    this.#sink = sink;
    this.#keys = keys;
    this.#paths = paths.map(pattern);
  }

  start(): void {
    if (this.#ends) return;
    this.#ends = new AbortController();
    this.#scrolled.set(document, [window.scrollX, window.scrollY]);
    const on = this.#on.bind(this);
    on("keydown", Kind.KEY_DOWN, (event) => this.#down(event));
    on("keyup", Kind.KEY_UP, (event) => this.#up(event));
    on("beforeinput", Kind.EDIT, (event) => this.#beforeEdit(event));
    on("input", Kind.EDIT, (event) => this.#edit(event as InputEvent));
    for (const type of ["copy", "cut", "paste"] as const)
      on(type, Kind.COMMAND, (event) => this.#command(event, CLIPBOARD[type] ?? 0));
    on("compositionstart", Kind.COMPOSITION_START, (e) => this.#composition(e, Kind.COMPOSITION_START));
    on("compositionend", Kind.COMPOSITION_END, (e) => this.#composition(e, Kind.COMPOSITION_END));
    on("pointermove", Kind.POINTER_MOVE, (event) => this.#moves(event));
    on("pointerdown", Kind.POINTER_DOWN, (event) => this.#press(event, Kind.POINTER_DOWN));
    on("pointerup", Kind.POINTER_UP, (event) => this.#press(event, Kind.POINTER_UP));
    on("pointercancel", Kind.POINTER_UP, (event) => this.#cancel(event));
    on("click", Kind.CLICK, (event) => this.#click(event));
    on("auxclick", Kind.CLICK, (event) => this.#click(event));
    on("wheel", Kind.WHEEL, (event) => this.#wheel(event));
    on("scroll", Kind.SCROLL, (event) => this.#scroll(event));
    on("focusin", Kind.FOCUS, (event) => this.#plain(event, Kind.FOCUS));
    on("focusout", Kind.BLUR, (event) => this.#plain(event, Kind.BLUR));
    on("visibilitychange", Kind.VISIBILITY, (event) => this.#visibility(event));
    on("selectionchange", Kind.SELECTION, (event) => this.#selection(event));
    on("pointerover", Kind.HOVER, (event) => this.#hover(event));
    on("resize", Kind.VIEW, (event) => this.#size(event), window);
    this.#size(null);
    if (this.#paths.length > 0) {
      // Not every browser tells of pages that a script puts into the history.
      const { navigation = window } = window as { navigation?: EventTarget };
      const arrive = (event: Event) => this.#arrive(event);
      on("currententrychange" as "change", Kind.NAVIGATION, arrive, navigation);
      on("popstate" as "change", Kind.NAVIGATION, arrive, window);
      this.#arrive(null);
    }
    window.addEventListener("blur", () => this.#slots.clear(), { signal: this.#ends.signal });
  }

  stop(): void {
    this.#ends?.abort();
    this.#ends = null;
    this.#slots.clear();
    this.#before = this.#caret = null;
    this.#edited = this.#composing = false;
  }

  #on<K extends keyof DocumentEventMap>(
    type: K,
    kind: number,
    take: (event: DocumentEventMap[K]) => void,
    at: EventTarget = document,
  ): void {
    if (!this.#sink.wants(kind) || !this.#ends) return;
    const listener = (event: DocumentEventMap[K]) => {
      try {
        // Chromium marks the end of a real composition as made by a script.
        const trusted = event.isTrusted || (type === "compositionend" && this.#composing);
        if (!trusted) this.#sink.untrusted();
        else if (this.#sink.isOpen()) take(event);
      } catch {
        // An event that cannot be judged does not exist; the host page goes on.
      }
    };
    const how = { capture: true, passive: true, signal: this.#ends.signal };
    at.addEventListener(type, listener as EventListener, how);
  }

  #add(
    kind: number,
    event: Event | null,
    facts: Facts,
    time_ms = event?.timeStamp ?? performance.now(),
  ): void {
    this.#sink.add(kind, toMicroseconds(time_ms), facts, event);
  }

  #down(event: KeyboardEvent): void {
    const target = targetOf(event);
    const verdict = this.#gate.verdict(target);
    if (verdict === "suppressed" || !event.key) return;
    // The browser tells a moved caret late; where it is before this key does its work is known now.
    const field = focused();
    if (this.#edited && verdict === "listed" && field instanceof HTMLElement) {
      this.#caret = caretOf(field);
      this.#edited = false;
    }
    const key_class = keyClass(event);
    if (verdict === "outside" && !isPlain(key_class, event)) return;
    const key_symbol = this.#keys && verdict === "listed" ? keySymbol(event.key, key_class) : 0;
    const held = this.#slots.press(event.code || "?", key_class, key_symbol, event.repeat);
    const facts = { ...held, modifiers: modifiers(event), ...this.#elements.of(target) };
    this.#add(Kind.KEY_DOWN, event, facts);
    this.#command(event, commandOf(event, APPLE));
  }

  /** Where the keyboard is, not what was marked, says whether a command may be recorded. */
  #command(event: Event, value: number): void {
    if (!value || !this.#sink.wants(Kind.COMMAND)) return;
    if (this.#gate.verdict(document) === "suppressed") return;
    this.#add(Kind.COMMAND, event, { value, ...this.#elements.of(focused()) });
  }

  #up(event: KeyboardEvent): void {
    const held = this.#slots.release(event.code || "?");
    const target = targetOf(event);
    if (!held || this.#gate.verdict(target) === "suppressed") return;
    const facts = { ...held, modifiers: modifiers(event), ...this.#elements.of(target) };
    this.#add(Kind.KEY_UP, event, facts);
  }

  #beforeEdit(event: InputEvent): void {
    this.#before = null;
    const target = targetOf(event);
    if (this.#gate.verdict(target) !== "listed") return;
    const before: Before = { length: -1, selected: 0, said: [...(event.data ?? "")].length };
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) {
      before.length = target.value.length;
      before.selected = (target.selectionEnd ?? 0) - (target.selectionStart ?? 0);
    } else {
      before.selected = event.getTargetRanges().reduce((sum, range) => sum + lengthOf(range), 0);
      if (event.data === null)
        before.said = event.dataTransfer?.getData("text/plain").length ?? before.selected;
    }
    this.#before = before;
  }

  #edit(event: InputEvent): void {
    const target = targetOf(event);
    const before = this.#before;
    this.#before = null;
    if (this.#gate.verdict(target) !== "listed") return;
    this.#edited = true;
    const edit = editOf(event.inputType ?? "");
    const plain = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
    const [chars, replaced] =
      before && edit !== Edit.FORMAT
        ? changed(edit, before, plain ? target.value.length : 0)
        : [0, 0];
    const [edit_chars, value] = [extent(edit, chars), extent(edit, replaced)];
    this.#add(Kind.EDIT, event, { edit, edit_chars, value, ...this.#elements.of(target) });
  }

  #composition(event: Event, kind: number): void {
    const target = targetOf(event);
    if (this.#gate.verdict(target) !== "listed") return;
    const starts = kind === Kind.COMPOSITION_START;
    if (starts === this.#composing) return;
    this.#composing = starts;
    this.#add(kind, event, { key_class: KeyClass.COMPOSING, ...this.#elements.of(target) });
  }

  /** A locked pointer is at no place: what it does then is the page's own affair. */
  #moves(event: PointerEvent): void {
    if (document.pointerLockElement) return;
    const parts = event.getCoalescedEvents();
    for (const part of parts.length > 0 ? parts : [event]) {
      this.#last = place(part);
      const facts = { ...device(event), ...touched(part), ...this.#last };
      this.#add(Kind.POINTER_MOVE, event, facts, part.timeStamp);
    }
  }

  #press(event: PointerEvent, kind: number): void {
    const down = kind === Kind.POINTER_DOWN;
    // Only a mouse was there before: of what else comes down this is the first sample.
    if (down && event.pointerType !== "mouse") this.#moves(event);
    const button = bounded(event.button + 1, 127);
    const target = targetOf(event);
    this.#gate.watch(target);
    const where = this.#elements.of(target);
    const aim = down ? aimed(event, where.role, this.#elements.found) : {};
    this.#last = place(event);
    this.#add(kind, event, { ...device(event), button, ...aim, ...this.#last, ...where });
  }

  /** The browser took the press over, to scroll or to drag: it ends where it was last. */
  #cancel(event: PointerEvent): void {
    const where = this.#elements.of(targetOf(event));
    this.#add(Kind.POINTER_UP, event, { ...device(event), ...this.#last, ...where });
  }

  #click(event: MouseEvent): void {
    const byKey = event.detail === 0;
    // Enter in a secret field presses the form's button: that it did is the field's secret too.
    if (byKey && this.#gate.verdict(document) === "suppressed") return;
    const type = event instanceof PointerEvent ? event.pointerType : "mouse";
    const pointer = byKey ? Pointer.NONE : (POINTERS[type] ?? Pointer.MOUSE);
    const button = bounded(event.button + 1, 127);
    const value = bounded(event.detail, NUMBER_MAX);
    const where = this.#elements.of(targetOf(event));
    const at = byKey ? {} : place(event);
    this.#add(Kind.CLICK, event, { pointer, button, value, ...at, ...where });
  }

  #wheel(event: WheelEvent): void {
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_CSS_PX : 1;
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? window.innerHeight : lines;
    this.#add(Kind.WHEEL, event, {
      scroll_x_css_px: bounded(event.deltaX * unit, 2 ** 30),
      scroll_y_css_px: bounded(event.deltaY * unit, 2 ** 30),
      value: event.deltaMode,
      ...this.#elements.of(targetOf(event)),
    });
  }

  #scroll(event: Event): void {
    const target = event.target;
    const page = target === document || target === document.documentElement;
    const role = page ? Role.PAGE : this.#elements.of(target).role;
    const field = [Role.TEXT_FIELD, Role.TEXT_AREA, Role.EDITABLE].some((one) => one === role);
    // A field scrolls as one types in it.
    if (field && this.#gate.verdict(target) !== "listed") return;
    if (!page && !(target instanceof Element)) return;
    const scroller = page ? document : (target as Element);
    const now: [number, number] = page
      ? [window.scrollX, window.scrollY]
      : [(target as Element).scrollLeft, (target as Element).scrollTop];
    const before = this.#scrolled.get(scroller) ?? [0, 0];
    this.#scrolled.set(scroller, now);
    this.#add(Kind.SCROLL, event, {
      scroll_x_css_px: bounded(now[0] - before[0], 2 ** 30),
      scroll_y_css_px: bounded(now[1] - before[1], 2 ** 30),
      ...this.#elements.of(page ? document.documentElement : target),
    });
  }

  /** The pointer came to rest on what can be pressed, or left it. Fingers do not hover. */
  #hover(event: PointerEvent): void {
    const where = this.#elements.of(targetOf(event), true);
    if (event.pointerType === "touch" || where.element === this.#hovered) return;
    this.#hovered = where.element;
    this.#add(Kind.HOVER, event, { ...device(event), ...where });
  }

  #size(event: Event | null): void {
    const view = {
      scroll_x_css_px: stepped(window.innerWidth, VIEW_STEP_CSS_PX),
      scroll_y_css_px: stepped(window.innerHeight, VIEW_STEP_CSS_PX),
      value: bounded(window.devicePixelRatio * 4, 40),
    };
    const before = this.#view;
    this.#view = Object.values(view).join();
    if (this.#view !== before && this.#sink.wants(Kind.VIEW)) this.#add(Kind.VIEW, event, view);
  }

  /** Which of the study's pages this is now; of its address nothing else. */
  #arrive(event: Event | null): void {
    const before = this.#path;
    this.#path = location.pathname;
    if (this.#path === before || !this.#sink.wants(Kind.NAVIGATION)) return;
    const value = this.#paths.findIndex((path) => path.test(this.#path)) + 1;
    this.#add(Kind.NAVIGATION, event, { value });
  }

  #plain(event: Event, kind: number): void {
    const target = targetOf(event);
    this.#gate.watch(target);
    this.#add(kind, event, this.#elements.of(target));
  }

  #visibility(event: Event): void {
    this.#add(Kind.VISIBILITY, event, { value: document.visibilityState === "visible" ? 1 : 2 });
  }

  #selection(event: Event): void {
    const field = focused();
    if (this.#gate.verdict(field) !== "listed" || !(field instanceof HTMLElement)) return;
    const caret = caretOf(field);
    const before = this.#caret;
    this.#caret = caret;
    const typed = this.#edited;
    this.#edited = false;
    if (typed || !caret || before?.node.isConnected !== true) return;
    const value = direction(before, caret);
    const edit_chars = about(caret.chars);
    if (value || caret.chars !== before.chars)
      this.#add(Kind.SELECTION, event, { value, edit_chars, ...this.#elements.of(field) });
  }
}

/** Which device; `slot` 1: not the first finger. */
const device = ({ pointerType, isPrimary }: PointerEvent) => ({
  pointer: POINTERS[pointerType] ?? Pointer.MOUSE,
  slot: isPrimary ? 0 : 1,
});

const CONTACT_STEP_CSS_PX = 8;
const VIEW_STEP_CSS_PX = 64;

/** The next whole number of steps, at most 64 of them. */
const stepped = (value: number, step: number): number => bounded(Math.ceil(value / step), 64) * step;

/** `/message/:id` as a pattern for all of a path. */
const pattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replace(/:\w+/g, "[^/]+")}/?$`);

/** Of finger and pen: pressure in 16ths, and how large the contact is, in steps. */
function touched({ pointerType, pressure, width, height }: PointerEvent): Facts {
  if (pointerType === "mouse") return {};
  const size = (side: number) => (side > 1 ? stepped(side, CONTACT_STEP_CSS_PX) : 0);
  return {
    value: bounded(Math.ceil(pressure * 16), 16),
    scroll_x_css_px: size(width),
    scroll_y_css_px: size(height),
  };
}

/** Of what can be aimed at: where in it the press is, in 16ths, and the class of its smaller side. */
function aimed({ clientX, clientY }: MouseEvent, role: number, target: Element): Facts {
  if (!canBeAimedAt(role)) return {};
  const { x, y, width, height } = target.getBoundingClientRect();
  const part = (at: number, from: number, side: number) =>
    bounded(((at - from) / side - 0.5) * 16, 8);
  return {
    value: bounded(Math.max(0, Math.log2(Math.min(width, height)) * 4), 63),
    scroll_x_css_px: part(clientX, x, width),
    scroll_y_css_px: part(clientY, y, height),
  };
}

const place = (event: MouseEvent) => ({
  x_8th_css_px: bounded(event.clientX * 8, 2 ** 24),
  y_8th_css_px: bounded(event.clientY * 8, 2 ** 24),
});

function lengthOf({ startContainer, startOffset, endContainer, endOffset }: StaticRange): number {
  const range = document.createRange();
  range.setStart(startContainer, startOffset);
  range.setEnd(endContainer, endOffset);
  return range.toString().length;
}

function caretOf(field: HTMLElement): Caret | null {
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) {
    const { selectionStart: start, selectionEnd: end } = field;
    if (start === null || end === null) return null;
    const offset = field.selectionDirection === "backward" ? start : end;
    return { node: field, offset, chars: end - start };
  }
  const selection = document.getSelection();
  const node = selection?.focusNode;
  if (!selection || !node || !editingHost(field).contains(node)) return null;
  const chars = selection.isCollapsed ? 0 : lengthOf(selection.getRangeAt(0));
  return { node, offset: selection.focusOffset, chars };
}

/** 1: the caret went back, 2: forward, 0: it stayed, or is in another field now. */
function direction(before: Caret, after: Caret): number {
  if (before.node === after.node)
    return after.offset === before.offset ? 0 : after.offset < before.offset ? 1 : 2;
  if (before.node instanceof HTMLInputElement || before.node instanceof HTMLTextAreaElement) return 0;
  const order = before.node.compareDocumentPosition(after.node);
  if (order & Node.DOCUMENT_POSITION_PRECEDING) return 1;
  return order & Node.DOCUMENT_POSITION_FOLLOWING ? 2 : 0;
}
