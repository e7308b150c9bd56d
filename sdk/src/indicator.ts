import { now_ms } from "./clock.ts";

/** What the indicator shows. */
export type Shown = "recording" | "paused" | "off";

const TAG = "overt-indicator";
/** So long at most it may be hidden while anything is recorded. */
const HIDDEN_MS_MAX = 1000;
/** Between two looks at it, and after one that found it covered. */
const CHECK_MS = 850;
const AGAIN_MS = 100;
/** So often at most the browser says what is painted over it; and when it has surely said so again. */
const OVER_MS = 250;
const OVER_AGAIN_MS = 300;
const SIZE_CSS_PX_MIN = 16;
const OPACITY_MIN = 0.6;
const INSIDE_MIN = 0.9;
/** Filters that leave little to see; those that turn colours round, as dark modes do, are none. */
const FADING = /(opacity|brightness|contrast)\((0|0?\.[0-5]\d*)\)|blur\((?!0|1px)/;

/** No page is around this one. */
const IS_ALONE = window === window.top;

/**
 * What the sign is judged by, as it was when this was loaded: a script that comes later may replace what
 * the page has. A method, or what reads an attribute; undefined where the browser has no such thing.
 */
const own = (of: object, name: string): ((it: object, ...all: unknown[]) => any) | undefined => {
  const { value, get = value } = Object.getOwnPropertyDescriptor(of, name) ?? {};
  return get && Function.prototype.call.bind(get);
};
const { IntersectionObserver } = window;
// A script of an extension is no window itself, in Firefox.
const styleOf = getComputedStyle.bind(window);
const said = own(CSSStyleDeclaration.prototype, "getPropertyValue")!;
const hit = own(Document.prototype, "elementFromPoint")!;
const isHidden = own(Document.prototype, "hidden")!;
const inside = own(IntersectionObserverEntry.prototype, "intersectionRatio")!;
/** Whether anything is painted over it, also what lets a press through; Chromium alone tells that. */
const isClear = own(IntersectionObserverEntry.prototype, "isVisible");
const on = own(EventTarget.prototype, "addEventListener")!;
const timeout = AbortSignal.timeout.bind(AbortSignal);
/** A page can clear all timers: it need only guess their numbers. This one has none. */
const later = (ms: number, work: () => void): void => on(timeout(ms), "abort", work);

/** The page shows a picture of how it was, and of how it will be, over all; mostly for a moment. */
const isPassing = (): boolean =>
  !!(document as { activeViewTransition?: object | null }).activeViewTransition;

/** What it says, in the words of the notice; `direction` is `rtl` where the language is. */
export type Words = Readonly<Record<Shown | "pause" | "resume" | "direction", string>>;

/**
 * `!important` in a shadow root wins over all that the page can say of the host element, and `all`
 * covers what could hide it: visibility, opacity, pointer events. What the page puts before or after
 * it lies over it, and a hit there is one on itself: so there is none. Nor is there a backdrop: one that
 * is clear lies over the whole page all the same, and Chromium then says of each frame that it is
 * covered. Long words wrap, and the light keeps its colour where a person has chosen theirs for all. It stands still: a light that
 * pulses keeps a page painting sixty times a second that has nothing else to paint.
 */
const STYLE = `
:host{all:initial!important;position:fixed!important;right:12px!important;bottom:calc(12px + var(--overt-up,0px))!important;
z-index:2147483647!important;display:block!important;max-width:calc(100vw - 24px)!important}
:host::before,:host::after{content:none!important}:host::backdrop{display:none!important}
div{display:flex;overflow-wrap:anywhere;align-items:center;gap:8px;padding:6px;padding-inline-start:12px;border-radius:99px;
font:600 13px/1 system-ui,sans-serif;color:#fff;background:#1c1f24;border:1px solid #fff6;
box-shadow:0 2px 10px #0006}
i{flex:none;width:10px;height:10px;border-radius:50%;background:#9aa0a8;forced-color-adjust:none}
.recording i{background:#ff4d4d}.paused i{background:#ffc53d}
button{all:unset;flex:none;min-width:28px;min-height:28px;border-radius:99px;text-align:center;
background:#fff2;cursor:pointer}button:focus-visible{outline:3px solid #7db8ff}
.off button{display:none}.off{padding-inline-end:12px}`;

/** Its words and what lies behind them, as browsers tell of it. */
const DRAWN = "visible" + "rgb(255, 255, 255)" + "rgb(28, 31, 36)";

/** The element it is; it knows by itself, at once and at no cost, whether it is in the page. */
class Host extends HTMLElement {
  #isIn = false;
  #changes: () => void = () => {};

  connectedCallback(): void {
    this.#changes();
    this.#isIn = true;
  }

  disconnectedCallback(): void {
    this.#changes();
    this.#isIn = false;
  }

  /** Have `changes` called just before it is in the page, or is not; false: it cannot tell. */
  static tells(host: HTMLElement, changes: () => void): boolean {
    if (!(#changes in host)) return false;
    host.#changes = changes;
    return true;
  }

  /** Of an element that is not of this class too, as in an extension. */
  static isIn(host: HTMLElement): boolean {
    return #isIn in host ? host.#isIn : host.isConnected;
  }
}

/** The chip that is always visible while somebody has joined: state, and pause in one action. */
export class Indicator {
  #host: HTMLElement;
  #box = document.createElement("div");
  #text = document.createElement("span");
  #button = document.createElement("button");
  #words: Words;
  #isGone = false;
  #checked: (visible: boolean) => void;
  #ticked: (() => void) | undefined;
  #covered = false;
  /** The share of it that lies in the window; in a page that no page is around, its own looks tell. */
  #inside = +IS_ALONE;
  /** Something is painted over it, as far as the browser tells. */
  #isUnder = false;
  /** Since when at most it has been hidden, on the page's clock. */
  #seen_ms = 0;
  /** A picture of the page lay over it at the last look. */
  #passes = false;
  #observer: IntersectionObserver;
  #up_css_px = 0;
  /** Where it was when it was last measured. */
  #place: DOMRect | null = null;
  #styles = new WeakMap<Element, CSSStyleDeclaration>();

  /**
   * `toggled`: the person pressed the button. `checked` hears at each look if it can be seen.
   * `ticked`: what else is to be done that often, because a timer more would cost more.
   */
  constructor(
    words: Words,
    toggled: () => void,
    checked: (visible: boolean) => void,
    ticked?: () => void,
  ) {
    // A content script has no registry; a plain element there, which no page can make its own.
    const registry = customElements as CustomElementRegistry | null;
    if (registry && !registry.get(TAG)) registry.define(TAG, Host);
    this.#words = words;
    this.#checked = checked;
    this.#ticked = ticked;
    this.#box.dir = this.#words.direction;
    this.#host = document.createElement(registry ? TAG : "div");
    this.#host.popover = "manual";
    const root = this.#host.attachShadow({ mode: "closed" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.#text.setAttribute("role", "status");
    this.#text.setAttribute("aria-live", "polite");
    this.#button.type = "button";
    this.#button.addEventListener("click", (event) => event.isTrusted && toggled());
    this.#box.append(document.createElement("i"), this.#text, this.#button);
    root.append(this.#box);
    // A frame may be larger than what is seen of it, and scrolled or covered by the page around.
    const how = { threshold: [0, INSIDE_MIN], trackVisibility: true, delay: OVER_MS };
    this.#observer = new IntersectionObserver((seen) => {
      const told = seen[seen.length - 1]!;
      this.#inside = inside(told);
      this.#isUnder = isClear?.(told) === false;
      if (isClear && !this.#isUnder) this.#seen_ms = now_ms();
      if (!this.#isUnder || this.#covered) return;
      if (!isPassing()) return this.#look();
      this.#seen_ms = now_ms() - OVER_AGAIN_MS;
      later(HIDDEN_MS_MAX - OVER_AGAIN_MS - AGAIN_MS, () => this.#look());
    }, how);
    later(CHECK_MS, () => this.#tick());
  }

  #tick(): void {
    if (this.#isGone) return;
    later(CHECK_MS, () => this.#tick());
    this.#look();
    this.#ticked?.();
  }

  #look(): void {
    if (isHidden(document) || this.#isGone) return;
    let isKept = false;
    try {
      this.#rise();
      isKept = this.#isKept();
    } catch {
      // A page has replaced what this asks, so nobody knows whether it can be seen.
    }
    this.#checked(isKept);
    const again_ms = this.#isUnder && !isPassing() ? OVER_AGAIN_MS : AGAIN_MS;
    if (isKept && this.#covered) later(again_ms, () => this.#look());
  }

  /** Above a keyboard on the screen, which covers the foot of a page that keeps its height. */
  #rise(): void {
    const { scale = 2, height = 0, offsetTop = 0 } = window.visualViewport ?? {};
    const up = scale > 1.1 ? 0 : Math.max(0, document.documentElement.clientHeight - height - offsetTop);
    if (up !== this.#up_css_px) this.#host.style.setProperty("--overt-up", `${(this.#up_css_px = up)}px`);
  }

  show(state: Shown): void {
    const button = state === "paused" ? "resume" : "pause";
    this.#box.className = state;
    this.#host.setAttribute("data-state", state);
    if (this.#text.textContent !== this.#words[state]) this.#text.textContent = this.#words[state];
    this.#button.textContent = state === "paused" ? "▶" : "❚❚";
    this.#button.setAttribute("aria-label", this.#words[button]);
    this.#button.title = this.#words[button];
  }

  /** Put it (back) into the page, or on top of it. */
  attach(): void {
    this.#covered = false;
    this.#raise(this.isConnected);
  }

  /**
   * On top of everything the page shows, in the top layer. Beside an open modal dialog, or what
   * fills the screen, nothing can be pressed or found by a hit test: there it goes into that.
   * `wasHidden`: a dialog is looked for, all over the page, only if something seems to be there.
   */
  #raise(wasHidden = true): void {
    const host = this.#host;
    const canRise = "showPopover" in host;
    const dialogs = canRise && wasHidden ? document.querySelectorAll("dialog:modal") : [];
    const home = [...dialogs].pop() ?? document.fullscreenElement ?? document.documentElement;
    if (host.parentNode !== home) home.append(host);
    if (canRise) {
      host.popover = "manual";
      if (host.matches(":popover-open")) host.hidePopover();
      host.showPopover();
    }
    // So it is told anew, whatever it was: it may have gone with a dialog, and be back.
    this.#isUnder = false;
    if (IS_ALONE) this.#inside = 1;
    this.#observer.unobserve(host);
    this.#observer.observe(host);
  }

  /**
   * Whether it can be seen. What opens in the top layer lies above it until the next look, which
   * raises it again; covered at two looks in a row, it is kept from sight. The picture of a page that
   * turns into another may cover it for longer, as long as it has surely not been hidden for a second.
   */
  #isKept(): boolean {
    // What such a picture covered was not covered by something else.
    const before = this.#covered && !this.#passes;
    this.#passes = isPassing();
    const at_ms = now_ms();
    // The browser would have said that it is hidden.
    if (isClear && !this.#covered && !this.#isUnder) this.#seen_ms = at_ms - OVER_AGAIN_MS;
    this.#covered = !this.isVisible();
    if (!this.#covered) this.#seen_ms = at_ms;
    if (!this.#covered) return true;
    // Gone with a dialog that the page took away, it comes back; taken away itself, it does not.
    if (!this.#host.parentNode) return false;
    if (this.#passes) return at_ms < this.#seen_ms + HIDDEN_MS_MAX - AGAIN_MS;
    this.#raise();
    return !before && this.isVisible();
  }

  remove(): void {
    this.#isGone = true;
    this.#host.remove();
  }

  /** Have `changes` called just before `isConnected` does; false: it cannot be told. */
  tells(changes: () => void): boolean {
    return Host.tells(this.#host, changes);
  }

  get isConnected(): boolean {
    return Host.isIn(this.#host);
  }

  /**
   * Whether it is found where it was; if it is there, it is that large too. At a spot beside the
   * screen there is nothing. Where the browser says what lies over it, two corners are enough.
   */
  #isHit(): boolean {
    const { left = 0, top = 0, width = 0, height = 0 } = this.#place ?? {};
    const at = (x: number, y: number) =>
      hit(document, left + width * x, top + height * y) === this.#host;
    return at(0.1, 0.2) && at(0.9, 0.8) && !! (isClear || at(0.5, 0.5));
  }

  /** Whether a person can see it: in the page, of a size, on screen, uncovered, opaque. */
  isVisible(): boolean {
    if (!this.isConnected || this.#inside < INSIDE_MIN || this.#isUnder) return false;
    if (!this.#isHit()) {
      // It may have moved, or have another size.
      const place = this.#host.getBoundingClientRect();
      this.#place = Math.min(place.width, place.height) < SIZE_CSS_PX_MIN ? null : place;
      if (!this.#isHit()) return false;
    }
    let opacity = 1;
    for (let at: Element | null = this.#host; at; at = at.parentElement) {
      const style = this.#styleOf(at);
      opacity *= said(style, "opacity");
      if (said(style, "visibility") !== "visible" || said(style, "clip-path") !== "none") return false;
      const filter = said(style, "filter");
      if (filter !== "none" && FADING.test(filter)) return false;
    }
    return opacity >= OPACITY_MIN && this.#contrasts();
  }

  /** The style of an element as it is: it changes by itself, so it is asked for once. */
  #styleOf(element: Element): CSSStyleDeclaration {
    let style = this.#styles.get(element);
    if (!style) this.#styles.set(element, (style = styleOf(element)));
    return style;
  }

  /** Whether its words stand out, as drawn; colours that a person has chosen for everything are theirs. */
  #contrasts(): boolean {
    const [text, box] = [this.#text, this.#box].map((part) => this.#styleOf(part));
    const drawn = said(text!, "visibility") + said(text!, "color") + said(box!, "background-color");
    return drawn === DRAWN || matchMedia("(forced-colors:active)").matches;
  }
}
