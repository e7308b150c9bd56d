/**
 * Scripts that do the targets task in the page, in the open: a dot shows where they are.
 *
 * What they send are events that the browser marks as untrusted; the SDK does not record such, and
 * nothing here goes anywhere but to the verdict.
 */

import { make } from "../../../../sdk/src/make.ts";
import { place } from "./tasks.ts";

const TARGETS = 12;

type Point = [x: number, y: number];
type Way = (from: Point, to: Point, share: number) => Point;

interface Script {
  took_ms: number;
  way: Way;
}

const straight: Way = ([ax, ay], [bx, by], u) => [ax + u * (bx - ax), ay + u * (by - ay)];

const curved: Way = ([ax, ay], [bx, by], share) => {
  const u = share * share * (3 - 2 * share);
  const [dx, dy] = [bx - ax, by - ay];
  const near = 3 * u * (1 - u) ** 2;
  const far = 3 * u * u * (1 - u);
  return [
    ax + near * (0.3 * dx - 0.25 * dy) + far * (0.7 * dx - 0.15 * dy) + u ** 3 * dx,
    ay + near * (0.3 * dy + 0.25 * dx) + far * (0.7 * dy + 0.15 * dx) + u ** 3 * dy,
  ];
};

/** The kinds to choose from. */
export const SCRIPTS: Record<string, Script> = {
  straight: { took_ms: 380, way: straight },
  curve: { took_ms: 420, way: curved },
  jump: { took_ms: 0, way: (_from, to) => to },
};

const PAUSE_MS = 350;

const frame = (): Promise<number> => new Promise((seen) => requestAnimationFrame(seen));
const pause = (ms: number): Promise<void> =>
  new Promise((over) => {
    window.setTimeout(over, ms);
  });

/** Let a script hit all targets in `field`; what it sends arrives there as pointer events. */
export async function perform(field: HTMLElement, kind: string): Promise<void> {
  const script = SCRIPTS[kind];
  if (!script) return;
  const dot = make("span", { class: "script-dot", "aria-hidden": "true" });
  let at: Point = [20, 20];
  const show = ([x, y]: Point): void => {
    at = [x, y];
    dot.style.transform = `translate(${x}px, ${y}px)`;
    const { left, top } = field.getBoundingClientRect();
    field.dispatchEvent(
      new PointerEvent("pointermove", {
        clientX: left + x,
        clientY: top + y,
        pointerType: "mouse",
        bubbles: true,
      }),
    );
  };
  for (let number = 0; number < TARGETS; number++) {
    const target = make("span", { class: "target", "aria-hidden": "true" }, String(number + 1));
    place(target, number);
    field.replaceChildren(target, dot);
    const to: Point = [
      target.offsetLeft + target.offsetWidth / 2,
      target.offsetTop + target.offsetHeight / 2,
    ];
    const from = at;
    const began = await frame();
    for (let share = 0; share < 1; ) {
      share = script.took_ms ? Math.min(((await frame()) - began) / script.took_ms, 1) : 1;
      show(script.way(from, to, share));
    }
    target.click();
    await pause(PAUSE_MS);
  }
  field.replaceChildren();
}
