import { Role } from "./generated.ts";
import { Recent } from "./recent.ts";
import { WHOLE, roleOf } from "./roles.ts";

export const NUMBER_MAX = 32767;

/** Whether an element is pressed as a whole: buttons, links, fields and the like. */
export const canBeAimedAt = (role: number): boolean => role < Role.IMAGE || role === Role.TARGET;

/** What names an element: only that there is such an attribute is looked at, never what it says. */
const NAMED = ["aria-label", "alt", "title"]
  .map((name) => `[${name}]:not([${name}=""])`)
  .concat("[aria-labelledby]", "[type=submit]", "[type=reset]")
  .join();

/** What may be pressed as a whole, and more: where none of these is, nobody looks closer. */
const MAYBE_WHOLE = "button,summary,a,area,option,input,overt-target,[role],[contenteditable]";

/** Numbers elements in order of first contact, and gives their role. */
export class Elements {
  /** The element that was asked for last. */
  found: Element = document.documentElement;
  #numbers = new WeakMap<Element, number>();
  #next = 1;
  #recent = new Recent<{ found: Element; role: number }>();

  /** Whether the element asked for last has a name for those who do not see it: 1 it has, 2 not. */
  get naming(): number {
    const { found } = this;
    const role = this.#role(found);
    const isField = role >= Role.TEXT_FIELD && role <= Role.SELECT;
    const has =
      found.matches(NAMED) ||
      (found as HTMLInputElement).labels?.length ||
      // What is written in a field is no name; of other text, whether there is any.
      (!isField && (found.textContent?.trim().length || found.querySelector(NAMED)));
    return has ? 1 : 2;
  }

  /** `at_ms`: when it is asked. `only`: elements that can be aimed at; others get no number. */
  of(target: EventTarget | null, at_ms: number, only = false): { role: number; element: number } {
    const { found, role } = this.#recent.of(target, at_ms, () => this.#whole(target));
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

  /** The element that is pressed as a whole, of which the target is a part; else itself. */
  #whole(target: EventTarget | null): { found: Element; role: number } {
    let found = target instanceof Element ? target : document.documentElement;
    let role = this.#role(found);
    let up = found.parentElement;
    if (!up?.closest(MAYBE_WHOLE)) return { found, role };
    for (let steps = 0; up && steps < 6 && !WHOLE.includes(role); steps += 1) {
      const around = this.#role(up);
      if (WHOLE.includes(around)) [found, role] = [up, around];
      up = up.parentElement;
    }
    return { found, role };
  }

  #role(element: Element): number {
    const editable = element instanceof HTMLElement && element.isContentEditable;
    const type = element.localName === "input" ? (element.getAttribute("type") ?? "") : "";
    return roleOf(element.tagName, element.getAttribute("role") ?? "", type, editable);
  }
}

/** The element an event went to, inside of open shadow roots too. */
export function targetOf(event: Event): EventTarget | null {
  const { target } = event;
  // The path is made anew for each who asks, so only where it leads further.
  return (target as Partial<Element> | null)?.shadowRoot ? (event.composedPath()[0] ?? null) : target;
}
