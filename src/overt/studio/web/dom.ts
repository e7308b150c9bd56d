/** The few things every page script needs of the document. Nothing here parses HTML from text. */

import { type Child, make } from "../../../../sdk/src/make.ts";

/** Return the element with this id; a page without it is a defect, so it throws. */
export function at<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found as T;
}

/** Return the element with this `data-testid`. */
export function byTest<T extends HTMLElement = HTMLElement>(name: string): T {
  const found = document.querySelector<T>(`[data-testid="${name}"]`);
  if (!found) throw new Error(`no element ${name}`);
  return found;
}

/** Make a table row; cells that are numbers are set to the right. */
export function row(cells: (Child | number)[], head = false): HTMLTableRowElement {
  const made = document.createElement("tr");
  cells.forEach((cell, place) => {
    const isNumber = typeof cell === "number";
    const td = document.createElement(head && place === 0 ? "th" : "td");
    if (head && place === 0) td.setAttribute("scope", "row");
    if (isNumber || (typeof cell === "string" && /^[−-]?[\d.,]+\s?(%|ms)?$/.test(cell)))
      td.className = "num";
    td.append(isNumber ? String(cell) : cell);
    made.append(td);
  });
  return made;
}

let clearing = 0;

/** Say something briefly at the foot of the page, and to screen readers. */
export function say(text: string): void {
  const toast = at("toast");
  toast.textContent = text;
  window.clearTimeout(clearing);
  clearing = window.setTimeout(() => (toast.textContent = ""), 6000);
}

/** Offer text as a file to keep. */
export function download(name: string, text: string, type = "application/json"): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Show a number of bytes in words. */
export function bytesText(count: number): string {
  return count < 1000 ? `${count} B` : `${(count / 1000).toFixed(1)} kB`;
}

/** Disable a button while its work runs, and say what went wrong if it does. */
export async function busy(button: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
  const before = button.disabled;
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    say(error instanceof Error ? error.message : "Something went wrong.");
  } finally {
    button.removeAttribute("aria-busy");
    button.disabled = before;
  }
}
