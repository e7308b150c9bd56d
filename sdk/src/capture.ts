import { type Caret, caretOf, direction, lengthOf } from "./caret.ts";
import { now_ms, now_us, toMicroseconds } from "./clock.ts";
import { type Before, about, changed, editOf, extent } from "./edits.ts";
import { Elements, NUMBER_MAX, targetOf } from "./elements.ts";
import type { Facts } from "./event.ts";
import { type Gate, type Verdict, focused, isPlainField } from "./gate.ts";
import { Command, Edit, KeyClass, Kind, Pointer, Role } from "./generated.ts";
import { CLIPBOARD, commandOf, isPlain, keyClass, keySymbol, modifiers } from "./keys.ts";
import { pageOf } from "./paths.ts";
import {
  DRAGGED,
  POINTERS,
  aimed,
  bounded,
  device,
  locked,
  pair,
  place,
  samples,
  stepped,
} from "./pointer.ts";
import type { Session, Take, Tell } from "./session.ts";
import { Slots } from "./slots.ts";

/** Where events go: the session, if a consented purpose needs their kind. */
export interface Sink {
  wants(kind: number): boolean;
  /** Asked before anything is looked at: recording, and the indicator in its place. */
  isOpen(): boolean;
  add(kind: number, t_us: number, facts: Facts, source: Event | null): void;
  /** Something that can be read later, and whether a script made it asked then: as most that happens. */
  later(event: Event, take: Take): void;
  /** Where that waits, if it is settled before each change of `isOpen`: then nobody need ask. */
  readonly queue: Session | null;
  /** A script made this event; it is ignored. */
  untrusted(): void;
}

const APPLE = /^(Mac|iP)/.test(navigator.platform);
const VIEW_STEP_CSS_PX = 64;
const LINE_CSS_PX = 16;
const WHEEL_ZOOMS = 3;
/** Between a key that prints and what the browser says of it. */
const PRINT_MS = 2000;
/** The schema has numbers for so many of the study's fields and pages; those after them are 0. */
const LISTED_MAX = 50;
const listed = (number: number): number => (number > LISTED_MAX ? 0 : number);
const LONG_PRESS_MS = 500;
const LONG_PRESS_CSS_PX = 10;

/**
 * Listens to the page: passive, in the capture phase, only for kinds that a purpose needs, and only
 * between `start` and `stop`. What a listener may look at, the gate says first.
 */
export class Capture {
  #gate: Gate;
  #sink: Sink;
  #keys: boolean;
  #paths: readonly string[];
  #path = "";
  #hovered = 0;
  #view = "";
  #ends: AbortController | null = null;
  #elements = new Elements();
  #slots = new Slots();
  #before: Before | null = null;
  /** The page has locked the pointer: it is at no place. */
  #isLocked = false;
  /** The pointer's last move. */
  #last: PointerEvent | null = null;
  /** Where something was dragged to; empty while nothing of this page is. */
  #dragged = "";
  #printed_ms = -PRINT_MS;
  #stays = 0;
  #edited = false;
  #composing = false;
  /** When the event that is looked at happened. */
  #at_ms = 0;
  #caret: Caret | null = null;
  #scrolled = new WeakMap<object, [number, number]>();

  /** `keys`: the study's level keeps characters of listed fields. `paths`: pages it tells apart. */
  constructor(gate: Gate, sink: Sink, keys: boolean, paths: readonly string[] = []) {
    this.#gate = gate;
    this.#sink = sink;
    this.#keys = keys;
    this.#paths = paths;
  }

  start(): void {
    if (this.#ends) return;
    this.#ends = new AbortController();
    this.#scrolled.set(document.documentElement, [window.scrollX, window.scrollY]);
    const on = this.#on.bind(this);
    on("keydown", Kind.KEY_DOWN, this.#down);
    on("keyup", Kind.KEY_UP, this.#up);
    on("beforeinput", Kind.EDIT, this.#beforeEdit);
    on("input", Kind.EDIT, this.#edit);
    for (const type of CLIPBOARD) on(type, Kind.COMMAND, this.#clipboard);
    on("beforeprint" as "change", Kind.COMMAND, this.#print, window);
    on("compositionstart", Kind.COMPOSITION_START, this.#composition);
    on("compositionend", Kind.COMPOSITION_END, this.#composition);
    this.#soon("pointermove", Kind.POINTER_MOVE, samples);
    on("pointerdown", Kind.POINTER_DOWN, this.#press);
    on("pointerup", Kind.POINTER_UP, this.#press);
    on("pointercancel", Kind.POINTER_UP, this.#cancel);
    for (const type of ["dragstart", "dragover", "dragend"] as const)
      on(type, Kind.POINTER_MOVE, this.#drag);
    on("click", Kind.CLICK, this.#click);
    on("auxclick", Kind.CLICK, this.#click);
    this.#soon("wheel", Kind.WHEEL, this.#wheel);
    on("scroll", Kind.SCROLL, this.#scroll);
    on("focusin", Kind.FOCUS, this.#attention);
    on("focusout", Kind.BLUR, this.#attention);
    on("visibilitychange", Kind.VISIBILITY, this.#visibility);
    on("selectionchange", Kind.SELECTION, this.#selection);
    this.#soon("pointerover", Kind.HOVER, this.#hover);
    on("resize", Kind.VIEW, this.#size, window);
    this.#size(null);
    if (this.#paths.length > 0) {
      // Not every browser tells of pages that a script puts into the history.
      const { navigation = window } = window as { navigation?: EventTarget };
      on("currententrychange" as "change", Kind.NAVIGATION, this.#arrive, navigation);
      on("popstate" as "change", Kind.NAVIGATION, this.#arrive, window);
      this.#arrive(null);
    }
    this.#listen("blur", (event) => event.target === window && this.#slots.clear(), window);
    const lock = () => (this.#isLocked = document.pointerLockElement !== null);
    this.#listen("pointerlockchange", lock, document);
    lock();
  }

  stop(): void {
    this.#ends?.abort();
    this.#ends = null;
    clearTimeout(this.#stays);
    this.#slots.clear();
    this.#before = this.#caret = null;
    this.#edited = this.#composing = false;
    this.#dragged = "";
  }

  #on<K extends keyof DocumentEventMap>(
    type: K,
    kind: number,
    take: (event: DocumentEventMap[K], kind: number) => void,
    at: EventTarget = document,
  ): void {
    if (!this.#sink.wants(kind) || !this.#ends) return;
    const sink = this.#sink;
    const listener = (event: DocumentEventMap[K]) => {
      try {
        // Chromium marks the end of a real composition as made by a script.
        if (!event.isTrusted && !(this.#composing && type === "compositionend")) sink.untrusted();
        else if (sink.isOpen() && !this.#gate.ignores(event)) {
          this.#at_ms = event.timeStamp;
          take.call(this, event, kind);
        }
      } catch {
        // An event that cannot be judged does not exist; the host page goes on.
      }
    };
    this.#listen(type, listener as EventListener, at);
  }

  /**
   * Listen to what need not be read at once. It is most of what happens, and each call costs it a
   * microsecond or two: where a session says by itself when nothing may wait, there is none.
   */
  #soon(type: string, kind: number, take: Take): void {
    const sink = this.#sink;
    if (!sink.wants(kind)) return;
    const takes = take.bind(this);
    const moves = type === "pointermove";
    const { queue } = sink;
    const isSure = queue !== null && !this.#gate.isExcluding;
    const listener = (event: Event) => {
      try {
        if (!isSure && (!sink.isOpen() || this.#gate.ignores(event))) return;
        if (moves && !this.#isLocked) this.#last = event as PointerEvent;
        // Which element of a shadow root it was, an event tells only while it lasts.
        if (!moves && (event.target as Element).shadowRoot) {
          if (!event.isTrusted) sink.untrusted();
          else if (sink.isOpen()) takes(event, (...told) => sink.add(...told, event));
        } else if (isSure) {
          const { waiting } = queue;
          waiting[waiting.length] = moves && this.#isLocked ? locked : takes;
          waiting[waiting.length] = event;
          if (waiting.length >= queue.enough) queue.settle();
        } else sink.later(event, moves && this.#isLocked ? locked : takes);
      } catch {
        // As above.
      }
    };
    this.#listen(type, listener, document);
  }

  #listen(type: string, listener: (event: Event) => void, at: EventTarget): void {
    const signal = this.#ends?.signal;
    if (signal) at.addEventListener(type, listener, { capture: true, passive: true, signal });
  }

  #add(kind: number, event: Event | null, facts: Facts): void {
    const time_ms = event ? this.#at_ms : now_ms();
    this.#sink.add(kind, toMicroseconds(time_ms), facts, event);
  }

  /** The element an event went to; the shadow root it is in is looked after from now on. */
  #where(event: Event): { role: number; element: number } {
    const target = targetOf(event);
    this.#gate.watch(target);
    return this.#elements.of(target, event.timeStamp);
  }

  #verdict(target: EventTarget | null): Verdict {
    return this.#gate.verdict(target, this.#at_ms);
  }

  #whole(target: EventTarget | null): { role: number; element: number } {
    return this.#elements.of(target, this.#at_ms);
  }

  #down(event: KeyboardEvent): void {
    const target = targetOf(event);
    this.#gate.press();
    const verdict = this.#verdict(target);
    if (verdict === "suppressed" || !event.key) return;
    // The browser tells a moved caret late; where it is before this key does its work is known now.
    if (this.#edited && verdict === "listed") {
      const field = focused();
      this.#edited = !(field instanceof HTMLElement);
      if (field instanceof HTMLElement) this.#caret = caretOf(field);
    }
    const key_class = keyClass(event);
    if (verdict === "outside" && !isPlain(key_class, event)) return;
    const key_symbol = this.#keys && verdict === "listed" ? keySymbol(event.key, key_class) : 0;
    const held = this.#slots.press(event.code || "?", key_class, key_symbol, event.repeat);
    const facts = { ...held, modifiers: modifiers(event), ...this.#whole(target) };
    this.#add(Kind.KEY_DOWN, event, facts);
    this.#command(event, commandOf(event, APPLE));
  }

  #clipboard(event: Event): void {
    this.#command(event, CLIPBOARD.findIndex((type) => type === event.type) + Command.COPY);
  }

  /** Printing by menu; by key it was a command already. */
  #print(event: Event): void {
    if (this.#at_ms > this.#printed_ms + PRINT_MS) this.#command(event, Command.PRINT);
  }

  /** Where the keyboard is, not what was marked, says whether a command may be recorded. */
  #command(event: Event, value: number): void {
    if (!value || !this.#sink.wants(Kind.COMMAND)) return;
    if (this.#verdict(document) === "suppressed") return;
    if (value === Command.PRINT) this.#printed_ms = this.#at_ms;
    this.#add(Kind.COMMAND, event, { value, ...this.#whole(focused()) });
  }

  #up(event: KeyboardEvent): void {
    const held = this.#slots.release(event.code || "?");
    const target = targetOf(event);
    if (!held || this.#verdict(target) === "suppressed") return;
    const facts = { ...held, modifiers: modifiers(event), ...this.#whole(target) };
    this.#add(Kind.KEY_UP, event, facts);
  }

  #beforeEdit(event: InputEvent): void {
    this.#before = null;
    const target = targetOf(event);
    if (this.#verdict(target) !== "listed") return;
    const before: Before = { length: -1, selected: 0, said: [...(event.data ?? "")].length };
    if (isPlainField(target)) {
      before.length = target.value.length;
      before.selected = (target.selectionEnd ?? 0) - (target.selectionStart ?? 0);
    } else {
      before.selected = event.getTargetRanges().reduce((sum, range) => sum + lengthOf(range), 0);
      if (event.data === null)
        before.said = event.dataTransfer?.getData("text/plain").length ?? before.selected;
    }
    this.#before = before;
  }

  #edit(event: Event): void {
    const target = targetOf(event);
    const before = this.#before;
    this.#before = null;
    if (this.#verdict(target) !== "listed") return;
    this.#edited = true;
    const edit = editOf((event as InputEvent).inputType ?? "");
    const length = isPlainField(target) ? target.value.length : 0;
    const [chars, replaced] =
      before && edit !== Edit.FORMAT ? changed(edit, before, length) : [0, 0];
    const [edit_chars, value] = [extent(edit, chars), extent(edit, replaced)];
    this.#add(Kind.EDIT, event, { edit, edit_chars, value, ...this.#whole(target) });
  }

  #composition(event: Event, kind: number): void {
    const target = targetOf(event);
    if (this.#verdict(target) !== "listed") return;
    const starts = kind === Kind.COMPOSITION_START;
    if (starts === this.#composing) return;
    this.#composing = starts;
    this.#add(kind, event, { key_class: KeyClass.COMPOSING, ...this.#whole(target) });
  }

  /** What is dragged from here the browser keeps the pointer for, and says now and then where it is. */
  #drag(event: DragEvent): void {
    const { x_8th_css_px, y_8th_css_px } = place(event);
    const before = this.#dragged;
    this.#dragged = event.type === "dragend" ? "" : `${x_8th_css_px} ${y_8th_css_px}`;
    if (event.type !== "dragover") return;
    if (!before) this.#dragged = ""; // it came from elsewhere
    else if (before !== this.#dragged)
      this.#add(Kind.POINTER_MOVE, event, { button: DRAGGED, x_8th_css_px, y_8th_css_px });
  }

  #press(event: PointerEvent, kind: number): void {
    const down = kind === Kind.POINTER_DOWN;
    this.#dragged = "";
    // Only a mouse was there before: of what else comes down this is the first sample.
    if (down && event.pointerType !== "mouse" && this.#sink.wants(Kind.POINTER_MOVE)) {
      this.#last = event;
      this.#sink.later(event, samples);
    }
    const button = bounded(event.button + 1, 127);
    const where = this.#where(event);
    const aim = down ? aimed(event, where.role, this.#elements.found) : {};
    const facts = { ...device(event), button, ...place(event), ...where };
    this.#add(kind, event, { ...facts, ...aim });
    clearTimeout(this.#stays);
    if (down && event.pointerType !== "mouse")
      this.#stays = window.setTimeout(() => this.#longPress(event, facts), LONG_PRESS_MS);
  }

  /** A finger or pen stayed where it came down: a click that is counted 0. */
  #longPress({ clientX, clientY }: PointerEvent, facts: Facts): void {
    const { clientX: x = clientX, clientY: y = clientY } = this.#last ?? {};
    const stayed = Math.hypot(x - clientX, y - clientY) < LONG_PRESS_CSS_PX;
    if (stayed && this.#sink.isOpen() && this.#sink.wants(Kind.CLICK))
      this.#sink.add(Kind.CLICK, now_us(), { ...facts, slot: 0 }, null);
  }

  /** The browser took the press over, to scroll or to drag: it ends where it was last. */
  #cancel(event: PointerEvent): void {
    clearTimeout(this.#stays);
    const facts = { ...device(event), ...place(this.#last ?? event), ...this.#where(event) };
    this.#add(Kind.POINTER_UP, event, facts);
  }

  #click(event: MouseEvent): void {
    const byKey = event.detail === 0;
    // Enter in a secret field presses the form's button: that it did is the field's secret too.
    if (byKey && this.#verdict(document) === "suppressed") return;
    // Where a click is no pointer event it is a mouse's.
    const { pointerType = "" } = event as Partial<PointerEvent>;
    const pointer = byKey ? Pointer.NONE : (POINTERS[pointerType] ?? Pointer.MOUSE);
    const button = bounded(event.button + 1, 127);
    const value = bounded(event.detail, NUMBER_MAX);
    const at = byKey ? {} : place(event);
    this.#add(Kind.CLICK, event, { pointer, button, value, ...at, ...this.#where(event) });
  }

  #wheel(event: WheelEvent, tell: Tell): void {
    // In the order of `deltaMode`: pixels, lines, pages.
    const unit = [1, LINE_CSS_PX, window.innerHeight][event.deltaMode] ?? 1;
    const by = pair(event.deltaX * unit, event.deltaY * unit);
    // With Ctrl it zooms; so do two fingers on a touchpad, of which the browser says the same.
    const value = event.ctrlKey ? WHEEL_ZOOMS : event.deltaMode;
    tell(Kind.WHEEL, toMicroseconds(event.timeStamp), { ...by, value, ...this.#where(event) });
  }

  #scroll(event: Event): void {
    const root = document.documentElement;
    const scroller = event.target instanceof Element ? event.target : root;
    const where = this.#whole(scroller);
    const isField = where.role >= Role.TEXT_FIELD && where.role <= Role.EDITABLE;
    // A field scrolls as one types in it.
    if (isField && this.#verdict(scroller) !== "listed") return;
    const now: [number, number] =
      scroller === root
        ? [window.scrollX, window.scrollY]
        : [scroller.scrollLeft, scroller.scrollTop];
    const [x, y] = this.#scrolled.get(scroller) ?? [0, 0];
    this.#scrolled.set(scroller, now);
    this.#add(Kind.SCROLL, event, { ...pair(now[0] - x, now[1] - y), ...where });
  }

  /** The pointer came to rest on what can be pressed, or left it. Fingers do not hover. */
  #hover(event: PointerEvent, tell: Tell): void {
    const { timeStamp } = event;
    const where = this.#elements.of(targetOf(event), timeStamp, true);
    if (event.pointerType === "touch" || where.element === this.#hovered) return;
    this.#hovered = where.element;
    const button = where.element ? this.#elements.naming : 0;
    tell(Kind.HOVER, toMicroseconds(timeStamp), { ...device(event), button, ...where });
  }

  #size(event: Event | null): void {
    const stepsOf = (side: number) => stepped(side, VIEW_STEP_CSS_PX);
    const view = {
      ...pair(stepsOf(window.innerWidth), stepsOf(window.innerHeight)),
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
    this.#add(Kind.NAVIGATION, event, { value: listed(pageOf(this.#paths, this.#path)) });
  }

  #attention(event: Event, kind: number): void {
    const where = this.#where(event);
    // Which of the study's fields, in any session; what is secret is none.
    const value = listed(this.#gate.fieldOf(targetOf(event), this.#at_ms));
    const button = kind === Kind.FOCUS ? this.#elements.naming : 0;
    this.#add(kind, event, { value, button, ...where });
  }

  #visibility(event: Event): void {
    this.#add(Kind.VISIBILITY, event, { value: document.hidden ? 2 : 1 });
  }

  #selection(event: Event): void {
    const field = focused();
    if (this.#verdict(field) !== "listed" || !(field instanceof HTMLElement)) return;
    const caret = caretOf(field);
    const before = this.#caret;
    this.#caret = caret;
    const typed = this.#edited;
    this.#edited = false;
    if (typed || !caret || before?.node.isConnected !== true) return;
    const value = direction(before, caret);
    const edit_chars = about(caret.chars);
    if (value || caret.chars !== before.chars)
      this.#add(Kind.SELECTION, event, { value, edit_chars, ...this.#whole(field) });
  }
}
