import { toMicroseconds } from "./clock.ts";
import { canBeAimedAt } from "./elements.ts";
import type { Facts } from "./event.ts";
import { Kind, Pointer } from "./generated.ts";
import type { Tell } from "./session.ts";

export const POINTERS: Readonly<Record<string, number>> = {
  mouse: Pointer.MOUSE,
  touch: Pointer.TOUCH,
  pen: Pointer.PEN,
};

/** The nearest whole number from -`max` to `max`; 0 for what is none. */
export const bounded = (value: number, max: number): number =>
  Math.max(-max, Math.min(max, Math.round(value) || 0));

/** Two numbers of an event that has no offsets, or of one that has. */
export const pair = (x: number, y: number, max = 2 ** 30) => ({
  scroll_x_css_px: bounded(x, max),
  scroll_y_css_px: bounded(y, max),
});

/** Which device; `slot` 1: not the first finger. */
export const device = ({ pointerType, isPrimary }: PointerEvent) => ({
  pointer: POINTERS[pointerType] ?? Pointer.MOUSE,
  slot: isPrimary ? 0 : 1,
});

const CONTACT_STEP_CSS_PX = 8;

/** The next whole number of steps, at most 64 of them. */
export const stepped = (value: number, step: number): number =>
  bounded(Math.ceil(value / step), 64) * step;

/** Of finger and pen: pressure in 16ths, and how large the contact is, in steps. */
export function touched({ pressure, width, height }: PointerEvent): Facts {
  const size = (side: number) => (side > 1 ? stepped(side, CONTACT_STEP_CSS_PX) : 0);
  return { value: bounded(Math.ceil(pressure * 16), 16), ...pair(size(width), size(height)) };
}

/** Of what can be aimed at: where in it the press is, in 16ths, and the class of its smaller side. */
export function aimed({ clientX, clientY }: MouseEvent, role: number, target: Element): Facts {
  if (!canBeAimedAt(role)) return {};
  const { x, y, width, height } = target.getBoundingClientRect();
  const part = (at: number, from: number, side: number) => ((at - from) / side - 0.5) * 16;
  return {
    value: bounded(Math.max(0, Math.log2(Math.min(width, height)) * 4), 63),
    ...pair(part(clientX, x, width), part(clientY, y, height), 8),
  };
}

/** Where the pointer is. */
export const place = ({ clientX, clientY }: MouseEvent) => ({
  x_8th_css_px: bounded(clientX * 8, 2 ** 24),
  y_8th_css_px: bounded(clientY * 8, 2 ** 24),
});

/** `button` of a move that is not the device's own: the browser drags, or the page has locked it. */
export const DRAGGED = 1;
const LOCKED = 2;

/** A move of a locked pointer: it is at no place then, only how far it went can be told. */
export function locked(event: PointerEvent, tell: Tell): void {
  for (const { timeStamp, movementX, movementY } of partsOf(event)) {
    const facts = { button: LOCKED, ...pair(movementX, movementY) };
    tell(Kind.POINTER_MOVE, toMicroseconds(timeStamp), facts);
  }
}

/** The samples that the browser hands on as one event. */
function partsOf(event: PointerEvent): PointerEvent[] {
  const parts = event.getCoalescedEvents();
  return parts.length > 0 ? parts : [event];
}

/** A move, sample by sample: the browser hands several on as one event. */
export function samples(event: PointerEvent, tell: Tell): void {
  const isMouse = event.pointerType === "mouse";
  const { pointer, slot } = device(event);
  for (const part of partsOf(event)) {
    // Most of all that is made: a mouse has nothing to be spread.
    const { x_8th_css_px, y_8th_css_px } = place(part);
    const facts: Facts = { pointer, slot, x_8th_css_px, y_8th_css_px };
    tell(Kind.POINTER_MOVE, toMicroseconds(part.timeStamp), isMouse ? facts : { ...facts, ...touched(part) });
  }
}
