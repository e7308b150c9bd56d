/** Two small charts in SVG: lines over time, and points on one scale. */

const NS = "http://www.w3.org/2000/svg";

function add(
  parent: Element,
  tag: string,
  attributes: Record<string, string | number>,
  text = "",
): Element {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.textContent = text;
  parent.append(made);
  return made;
}

/** Empty the chart and return its width: one unit is one CSS pixel, so that text stays legible. */
function begin(svg: SVGSVGElement, height: number, label: string): number {
  const width = Math.max(240, Math.round(svg.getBoundingClientRect().width) || 480);
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", label);
  return width;
}

export interface Line {
  /** Class that gives the colour: p1 … p4. */
  look: string;
  /** Values between 0 and 1. */
  values: readonly number[];
}

/** Draw shares (0 to 1) against the number of events so far. */
export function shares(svg: SVGSVGElement, lines: readonly Line[], label: string): void {
  const [height, left, bottom, top] = [220, 40, 30, 12];
  const width = begin(svg, height, label);
  const longest = Math.max(2, ...lines.map((line) => line.values.length));
  const x = (place: number): number => left + (place / (longest - 1)) * (width - left - 8);
  const y = (share: number): number => top + (1 - share) * (height - top - bottom);
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    add(svg, "line", { class: "grid", x1: left, x2: width - 8, y1: y(share), y2: y(share) });
    add(
      svg,
      "text",
      { x: left - 6, y: y(share) + 4, "text-anchor": "end" },
      `${Math.round(share * 100)}%`,
    );
  }
  add(svg, "text", { x: left, y: height - 8 }, "1");
  add(svg, "text", { x: width - 8, y: height - 8, "text-anchor": "end" }, `${longest} events`);
  for (const line of lines) {
    const points = line.values.map((value, place) => `${x(place).toFixed(1)},${y(value).toFixed(1)}`);
    if (points.length > 1)
      add(svg, "polyline", { class: `line ${line.look}`, points: points.join(" ") });
  }
}

/** Draw distances on one scale: others as dots, you as a ring with a word beside it. */
export function distances(
  svg: SVGSVGElement,
  you: number,
  others: readonly number[],
  label: string,
): void {
  const [height, left, right] = [130, 16, 16];
  const width = begin(svg, height, label);
  const all = [you, ...others];
  const low = Math.min(...all);
  const span = Math.max(...all) - low || 1;
  const x = (value: number): number =>
    left + 10 + ((value - low) / span) * (width - left - right - 20);
  const base = 78;
  add(svg, "line", { class: "axis", x1: left, x2: width - right, y1: base + 18, y2: base + 18 });
  add(svg, "text", { x: left, y: base + 38 }, "← more alike");
  add(svg, "text", { x: width - right, y: base + 38, "text-anchor": "end" }, "less alike →");
  others.forEach((value, place) => {
    const lift = (place % 4) * 11;
    add(svg, "circle", { class: "dot p4", cx: x(value), cy: base - lift, r: 5, opacity: 0.75 });
  });
  const mine = x(you);
  add(svg, "line", { class: "p2", x1: mine, x2: mine, y1: 26, y2: base + 18, "stroke-width": 2 });
  add(svg, "circle", { class: "dot p2", cx: mine, cy: base, r: 7 });
  const anchor = mine > width - 130 ? "end" : mine < 60 ? "start" : "middle";
  add(svg, "text", { class: "strong", x: mine, y: 18, "text-anchor": anchor }, "your first half");
}
