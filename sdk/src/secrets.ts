/** Whether `autocomplete` says that a field takes a password, a code or a payment card. */
export function isSecretToken(autocomplete: string): boolean {
  return autocomplete
    .toLowerCase()
    .split(/\s+/)
    .some((t) => /^(current-password|new-password|one-time-code|cc-.*)$/.test(t));
}

const FIELDS = "input,textarea";
const SEEN = {
  subtree: true,
  childList: true,
  attributes: true,
  attributeOldValue: true,
  attributeFilter: ["type", "autocomplete"],
};

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
