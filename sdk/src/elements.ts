import { Role } from "./generated.ts";
import { WHOLE, roleOf } from "./roles.ts";

export const NUMBER_MAX = 32767;

/** Whether an element is pressed as a whole: buttons, links, fields and the like. */
export const canBeAimedAt = (role: number): boolean => role < Role.IMAGE || role === Role.TARGET;

/** Numbers elements in order of first contact, and gives their role. */
export class Elements {
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
export const targetOf = (event: Event): EventTarget | null => event.composedPath()[0] ?? event.target;
