import { targetOf } from "./elements.ts";
import { Recent } from "./recent.ts";

/** What may be recorded of what happens in an element. */
export type Verdict =
  /** A field the study lists: keys (class), edits, composition, selection. */
  | "listed"
  /** Nothing at all of the keyboard exists: secret, not listed, or not known. */
  | "suppressed"
  /** Not a field: keys that produce no character, as class. */
  | "outside";

const TEXT_TYPES: readonly string[] = ["text", "search", "email", "url", "tel", "number"];
const CONTROL_TYPES: readonly string[] = [
  "button",
  "submit",
  "reset",
  "checkbox",
  "radio",
  "range",
  "image",
  "color",
  "file",
];
const OUTSIDE_TAGS: readonly string[] = ["HTML", "BODY", "A", "AREA", "BUTTON", "SELECT", "SUMMARY"];
const OUTSIDE_ROLES: readonly string[] = [
  "button",
  "link",
  "checkbox",
  "radio",
  "switch",
  "menuitem",
  "menuitemcheckbox",
  "menuitemradio",
  "menu",
  "menubar",
  "option",
  "listbox",
  "slider",
  "tab",
  "region",
];

/** Whether `autocomplete` says that a field takes a password, a code or a payment card. */
export function isSecretToken(autocomplete: string): boolean {
  return autocomplete
    .toLowerCase()
    .split(/\s+/)
    .some((t) => /^(current-password|new-password|one-time-code|cc-.*)$/.test(t));
}

/** What the type of an input allows: no attribute is text; an unknown type is suppressed. */
export function typeAllows(type: string | null): "text" | "control" | "nothing" {
  const name = type === null ? "text" : type.toLowerCase();
  if (TEXT_TYPES.includes(name)) return "text";
  return CONTROL_TYPES.includes(name) ? "control" : "nothing";
}

const FIELDS = "input,textarea";
const SEEN = {
  subtree: true,
  childList: true,
  attributes: true,
  attributeOldValue: true,
  attributeFilter: ["type", "autocomplete"],
};

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

/**
 * A field's attributes tell what it was at any time; only one that a style masks must be looked at
 * before somebody unmasks it. What a study lists now is looked at when recording begins; to look
 * over the whole page, for what may be listed later, takes some milliseconds where it is long: in a
 * quiet moment, once it has come up.
 */
const LATER_MS = 1000;
const idle = globalThis.requestIdleCallback ?? ((look: () => void) => setTimeout(look, 100));

/**
 * Elements that have ever been secret, remembered for as long as they live; also what takes their
 * place, as "show password" buttons do. Reads `type` and `autocomplete`, listens to no input.
 */
export class Secrets {
  /** Counts the changes that may have made a field another one. */
  changes = 0;
  #known = new WeakSet<Element>();
  #observer = new MutationObserver((records) => this.#changed(records));
  #watched = new WeakSet<Node>();
  /** Styles as they are: they change by themselves, so each is asked for once. */
  #styles = new WeakMap<Element, CSSStyleDeclaration>();

  constructor() {
    this.watch(document);
  }

  /** Look after a document or shadow root from now on. */
  watch(root: Document | ShadowRoot): void {
    if (this.#watched.has(root)) return;
    this.#watched.add(root);
    this.#observer.observe(root, SEEN);
    if (root !== document) for (const field of root.querySelectorAll(FIELDS)) this.has(field);
    else setTimeout(() => idle(() => this.#lookOver()), LATER_MS);
  }

  #lookOver(): void {
    for (const tag of FIELDS.split(","))
      for (const field of document.getElementsByTagName(tag)) this.has(field);
  }

  /** See what the page has changed that nobody has told yet. */
  catchUp(): void {
    const records = this.#observer.takeRecords();
    if (records.length > 0) this.#changed(records);
  }

  /** Whether a field is, or ever was, secret, as far as `catchUp` has seen. */
  has(field: Element): boolean {
    if (!this.#known.has(field) && this.#looks(field)) this.#known.add(field);
    return this.#known.has(field);
  }

  #looks(field: Element): boolean {
    if (isSecret(field)) return true;
    let style = this.#styles.get(field);
    if (!style) this.#styles.set(field, (style = getComputedStyle(field)));
    const masked = style.getPropertyValue("-webkit-text-security");
    return masked !== "" && masked !== "none";
  }

  #changed(records: MutationRecord[]): void {
    this.changes += 1;
    const replaced = new Set<Node>();
    for (const { type, target, oldValue, removedNodes } of records) {
      if (type === "attributes") {
        const old = (oldValue ?? "").toLowerCase();
        const secret = old === "password" || old === "hidden" || isSecretToken(old);
        if (secret) this.#known.add(target as Element);
      }
      for (const node of removedNodes)
        if (fieldsIn(node).some((field) => this.#known.has(field) || isSecret(field)))
          replaced.add(target);
    }
    for (const { target, addedNodes } of records)
      for (const node of addedNodes)
        for (const field of fieldsIn(node))
          if (replaced.has(target) || this.#looks(field)) this.#known.add(field);
  }
}

/** What a field says of itself. */
function isSecret(field: Element): boolean {
  const type = field.getAttribute("type")?.toLowerCase();
  if (type === "password" || type === "hidden") return true;
  const tokens = field.getAttribute("autocomplete");
  return tokens !== null && isSecretToken(tokens);
}

function fieldsIn(node: Node): Element[] {
  if (!(node instanceof Element)) return [];
  return [...(node.matches(FIELDS) ? [node] : []), ...node.querySelectorAll(FIELDS)];
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
    const known = OUTSIDE_TAGS.includes(target.tagName) || OUTSIDE_ROLES.includes(role ?? "");
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
