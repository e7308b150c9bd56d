import { targetOf } from "./elements.ts";
import { Recent } from "./recent.ts";
import type { Secrets } from "./secrets.ts";

/** What may be recorded of what happens in an element. */
export type Verdict =
  /** A field the study lists: keys (class), edits, composition, selection. */
  | "listed"
  /** Nothing at all of the keyboard exists: secret, not listed, or not known. */
  | "suppressed"
  /** Not a field: keys that produce no character, as class. */
  | "outside";

const TEXT_TYPES = /^(text|search|email|url|tel|number)$/i;
const CONTROL_TYPES = /^(button|submit|reset|checkbox|radio|range|image|color|file)$/i;
const OUTSIDE_TAGS = /^(HTML|BODY|A|AREA|BUTTON|SELECT|SUMMARY)$/;
const OUTSIDE_ROLES =
  /^(button|link|checkbox|radio|switch|menu|menubar|menuitem(checkbox|radio)?|option|listbox|slider|tab|region)$/;

/** What the type of an input allows: no attribute is text; an unknown type is suppressed. */
export function typeAllows(type: string | null): "text" | "control" | "nothing" {
  if (TEXT_TYPES.test(type ?? "text")) return "text";
  return CONTROL_TYPES.test(type ?? "") ? "control" : "nothing";
}

export type PlainField = HTMLInputElement | HTMLTextAreaElement;

/** Whether an element has its text as a plain value. */
export const isPlainField = (target: unknown): target is PlainField =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;

/** The element that has the keyboard, inside of open shadow roots too. */
export function focused(): Element | null {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found;
}

/** The field list of a study. Anything that is not known to be allowed is suppressed. */
export class Gate {
  /** Of each field: selectors from the document inwards, one for each shadow root it is in. */
  #paths: (string[] | null)[];
  /** What the study excludes, as one selector; empty where it excludes nothing. */
  #excluded: string;
  #secrets: Secrets;
  #recent = new Recent<Verdict>();
  #changes = 0;

  constructor(selectors: readonly string[], secrets: Secrets) {
    this.#secrets = secrets;
    this.#excluded = selectors
      .filter((selector) => selector.startsWith("!"))
      .map((selector) => selector.slice(1))
      .join();
    try {
      if (this.#excluded) document.querySelector(this.#excluded);
    } catch {
      this.#excluded = "*"; // not understood, it may mean anything
    }
    this.#paths = selectors
      .map((selector) => selector.split(">>>"))
      .map((path) => {
        try {
          const [found] = path.map((selector) => document.querySelectorAll(selector));
          if (path.length === 1) for (const field of found ?? []) secrets.has(field);
          return path;
        } catch {
          return null; // an exclusion, or what this browser does not understand
        }
      });
  }

  /** Whether the study excludes anything. */
  get isExcluding(): boolean {
    return this.#excluded !== "";
  }

  /** Whether an event went to what the study excludes. Where it excludes nothing, nobody asks where. */
  ignores(event: Event): boolean {
    return this.#excluded !== "" && this.excludes(targetOf(event));
  }

  /** Whether this is, or lies in, what the study excludes: nothing of it is recorded at all. */
  excludes(target: EventTarget | null): boolean {
    if (!this.#excluded || !(target instanceof Element)) return false;
    if (target.closest(this.#excluded)) return true;
    const root = target.getRootNode();
    return root instanceof ShadowRoot && this.excludes(root.host);
  }

  /** Look after the shadow root that an event came from, before anything in it can change. */
  watch(target: EventTarget | null): void {
    const root = target instanceof Element && target.getRootNode();
    if (root instanceof ShadowRoot) this.#secrets.watch(root);
  }

  /** A key goes down: what held for the press before holds no longer. */
  press(): void {
    this.#recent.forget();
  }

  /**
   * The verdict on the element an event of the keyboard went to. It holds for the other events of
   * the same press (`at_ms`: when each was), unless anything changed in the page.
   */
  verdict(target: EventTarget | null, at_ms: number): Verdict {
    if (target === document || target === window) return this.verdict(focused(), at_ms);
    this.#secrets.catchUp();
    if (this.#changes !== this.#secrets.changes) this.#recent.forget();
    this.#changes = this.#secrets.changes;
    return this.#recent.of(target, at_ms, () => this.#judged(target));
  }

  #judged(target: EventTarget | null): Verdict {
    if (!(target instanceof HTMLElement) || !target.isConnected) return "suppressed";
    if (this.excludes(target)) return "suppressed";
    this.watch(target);
    if (target instanceof HTMLInputElement) {
      const allows = typeAllows(target.getAttribute("type"));
      if (allows === "nothing" || this.#secrets.has(target)) return "suppressed";
      return allows === "control" ? outside(target) : this.#listed(target);
    }
    if (target instanceof HTMLTextAreaElement)
      return this.#secrets.has(target) ? "suppressed" : this.#listed(target);
    if (target.isContentEditable) {
      const host = editingHost(target);
      return this.#secrets.has(host) ? "suppressed" : this.#listed(host);
    }
    // What has the keyboard without being able to has it inside, where nobody can look; so may
    // elements of the page's own making. And a page may take text in anything (EditContext).
    const role = target.tabIndex < 0 || target.localName.includes("-") ? "" : target.getAttribute("role");
    const known = OUTSIDE_TAGS.test(target.tagName) || OUTSIDE_ROLES.test(role ?? "");
    const { editContext } = target as { editContext?: unknown };
    return known && !editContext ? outside(target) : "suppressed";
  }

  #listed(field: Element): Verdict {
    return this.#number(field) ? "listed" : "suppressed";
  }

  #number(field: Element): number {
    return this.#paths.findIndex((path) => path && leads(path, field)) + 1;
  }

  /** Which of the study's fields an element is, or is a part of, from 1; 0: none that is recorded. */
  fieldOf(target: EventTarget | null, at_ms: number): number {
    const field = target as HTMLElement;
    return this.verdict(target, at_ms) === "listed"
      ? this.#number(isPlainField(field) ? field : editingHost(field))
      : 0;
  }
}

const outside = (target: Element): Verdict =>
  target.getRootNode() === document ? "outside" : "suppressed";

/** Whether these selectors lead to the field: the last to itself, those before to its hosts. */
function leads(path: readonly string[], field: Element): boolean {
  const root = field.getRootNode();
  if (!field.matches(path.at(-1) ?? "")) return false;
  if (root instanceof ShadowRoot) return path.length > 1 && leads(path.slice(0, -1), root.host);
  return path.length === 1;
}

/** No parser nests deeper; a form whose field is called `parentElement` leads round in a circle. */
const DEPTH_MAX = 512;

/** The element whose content the person edits, of which `element` is a part; throws if there is none. */
export function editingHost(element: HTMLElement): HTMLElement {
  let host = element;
  for (let depth = 0; depth < DEPTH_MAX; depth += 1) {
    const up = host.parentElement;
    if (!up?.isContentEditable) return host;
    host = up;
  }
  throw new RangeError();
}
