/** The seven things to do. They work the same for those who did not join. */

import { make } from "../../../../sdk/src/make.ts";
import { at, byTest, say } from "./dom.ts";

const TARGETS = 12;

const MENU: Menu = {
  Coffee: { Espresso: null, Filter: { Small: null, Large: null } },
  Tea: {
    Black: { Small: null, Large: null },
    Green: { Small: null, Large: null },
    Jasmine: { Small: null, Large: null },
  },
  Water: { Still: null, Sparkling: null },
};

const PLACES: Record<string, Record<string, string[]>> = {
  Africa: { Egypt: ["Cairo", "Luxor"], Ghana: ["Accra", "Kumasi"], Kenya: ["Mombasa", "Nairobi"] },
  Americas: { Brazil: ["Recife", "Salvador"], Canada: ["Halifax", "Montreal"], Peru: ["Cusco"] },
  Asia: { India: ["Kochi", "Pune"], Japan: ["Kobe", "Sapporo"], Vietnam: ["Da Nang", "Hue"] },
  Europe: { Norway: ["Bergen"], Poland: ["Gdansk", "Krakow"], Portugal: ["Lisbon", "Porto"] },
};

interface Menu {
  [name: string]: Menu | null;
}

/** Told when a task begins to be worked on (a number from 1) so that a mark can be recorded. */
export type Began = (task: number) => void;

function done(task: number): void {
  const mark = document.querySelector<HTMLElement>(`[data-task="${task}"] .done`);
  if (mark) mark.hidden = false;
}

function letters(text: string): string {
  return text.trim().replace(/\s+/g, " ").replace(/[.’']/g, "").toLowerCase();
}

function copying(): void {
  const wanted = letters(at("copy-source").textContent ?? "");
  const field = at<HTMLInputElement>("task-copy");
  field.addEventListener("input", () => {
    if (letters(field.value) === wanted) done(1);
  });
  const free = at<HTMLTextAreaElement>("task-free");
  free.addEventListener("input", () => {
    if (free.value.trim().split(/\s+/).length >= 12) done(2);
  });
}

function submenu(items: Menu, path: string[], chosen: (path: string[]) => void): HTMLUListElement {
  const list = make("ul", { class: "menu", role: "menu", "aria-label": path.at(-1) ?? "Drinks" });
  for (const [name, below] of Object.entries(items)) {
    const here = [...path, name];
    const id = `menu-${here.join("-").toLowerCase()}`;
    const button = make(
      "button",
      { type: "button", role: "menuitem", tabindex: "-1", "data-testid": id },
      name,
    );
    const item = make("li", { role: "none" }, button);
    if (below) {
      button.append(make("span", { "aria-hidden": "true" }, "▸"));
      button.setAttribute("aria-haspopup", "menu");
      button.setAttribute("aria-expanded", "false");
      const child = submenu(below, here, chosen);
      child.hidden = true;
      item.append(child);
      button.addEventListener("click", () => open(button, child));
    } else {
      button.addEventListener("click", () => chosen(here));
    }
    list.append(item);
  }
  return list;
}

function items(menu: Element): HTMLButtonElement[] {
  return [...menu.querySelectorAll<HTMLButtonElement>(":scope > li > button")];
}

function shut(menu: Element): void {
  for (const child of menu.querySelectorAll<HTMLElement>(".menu")) child.hidden = true;
  for (const button of menu.querySelectorAll("[aria-expanded]"))
    button.setAttribute("aria-expanded", "false");
}

function open(button: HTMLButtonElement, child: HTMLElement): void {
  const parent = button.closest(".menu");
  if (parent) shut(parent);
  child.hidden = false;
  button.setAttribute("aria-expanded", "true");
  items(child)[0]?.focus();
}

function menus(): void {
  const root = at("menu");
  const opener = byTest<HTMLButtonElement>("menu-open");
  const close = (): void => {
    shut(root);
    top.hidden = true;
    opener.setAttribute("aria-expanded", "false");
  };
  const top = submenu(MENU, [], (path) => {
    close();
    opener.focus();
    const text = path.join(", ").toLowerCase();
    at("menu-result").textContent = `Ordered: ${text}`;
    if (text === "tea, jasmine, large") done(3);
  });
  top.hidden = true;
  root.append(top);
  opener.addEventListener("click", () => (top.hidden ? open(opener, top) : close()));
  root.addEventListener("keydown", (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("button");
    const menu = button?.closest<HTMLElement>(".menu");
    if (event.key === "Escape" && !top.hidden) {
      close();
      opener.focus();
    } else if (button === opener && event.key === "ArrowDown") {
      open(opener, top);
    } else if (button && menu) {
      const row = items(menu);
      const place = row.indexOf(button);
      const child = button.nextElementSibling as HTMLElement | null;
      if (event.key === "ArrowDown") row[(place + 1) % row.length]?.focus();
      else if (event.key === "ArrowUp") row[(place + row.length - 1) % row.length]?.focus();
      else if (event.key === "ArrowRight" && child) open(button, child);
      else if (event.key === "ArrowLeft" && menu !== top) {
        const owner = menu.previousElementSibling as HTMLButtonElement;
        menu.hidden = true;
        owner.setAttribute("aria-expanded", "false");
        owner.focus();
      } else return;
    } else return;
    event.preventDefault();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!root.contains(event.target as Node)) close();
  });
  root.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !root.contains(event.relatedTarget as Node)) close();
  });
}

function places(): void {
  const [continent, country, city] = ["continent", "country", "city"].map((name) =>
    at<HTMLSelectElement>(`select-${name}`),
  ) as [HTMLSelectElement, HTMLSelectElement, HTMLSelectElement];
  const fill = (select: HTMLSelectElement, names: string[]): void => {
    select.replaceChildren(make("option", { value: "" }, "Choose"));
    for (const name of names) select.append(make("option", { value: name }, name));
    select.disabled = names.length === 0;
  };
  fill(continent, Object.keys(PLACES));
  fill(country, []);
  fill(city, []);
  continent.addEventListener("change", () => {
    fill(country, Object.keys(PLACES[continent.value] ?? {}));
    fill(city, []);
  });
  country.addEventListener("change", () =>
    fill(city, PLACES[continent.value]?.[country.value] ?? []),
  );
  city.addEventListener("change", () => {
    if (city.value === "Lisbon") done(3);
  });
}

function editing(): void {
  const note = at("task-edit");
  note.addEventListener("input", (event) => {
    const undone = (event as InputEvent).inputType === "historyUndo";
    if (undone || !/\b(\w+) \1\b/i.test(note.textContent ?? "")) done(4);
  });
  const password = at<HTMLInputElement>("form-password");
  const show = at<HTMLButtonElement>("form-show");
  show.addEventListener("click", () => {
    const shown = password.type === "text";
    password.type = shown ? "password" : "text";
    show.textContent = shown ? "Show" : "Hide";
    show.setAttribute("aria-pressed", String(!shown));
  });
  const form = at<HTMLFormElement>("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.reset();
    at<HTMLInputElement>("form-hidden").value = "";
    done(5);
    say("Done. The form went nowhere and is empty again.");
  });
}

/** A circle to hit: a button to assistive technology, a target to the recording. */
class Target extends HTMLElement {
  constructor() {
    super();
    this.attachInternals().role = "button";
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      if (!event.repeat) this.click();
    });
  }
}

/** Put target `number` where it belongs in its field. */
export function place(target: HTMLElement, number: number): void {
  const size = 34 + ((number * 29) % 40);
  const turn = number * 2.39996;
  const reach = 0.25 + 0.1 * ((number * 7) % 3);
  target.style.width = target.style.height = `${size}px`;
  target.style.left = `calc(${50 + 80 * reach * Math.cos(turn)}% - ${size / 2}px)`;
  target.style.top = `calc(${50 + 75 * reach * Math.sin(turn)}% - ${size / 2}px)`;
}

function targets(began: Began): void {
  customElements.define("overt-target", Target);
  const field = at("targets");
  const start = at<HTMLButtonElement>("targets-start");
  const result = at("targets-result");
  let hit = 0;
  let last_ms = 0;
  let times_ms: number[] = [];
  const next = (): void => {
    const target = new Target();
    target.tabIndex = 0;
    target.className = "target";
    target.dataset.testid = "target";
    target.setAttribute("aria-label", `Target ${hit + 1} of ${TARGETS}`);
    target.textContent = String(hit + 1);
    place(target, hit);
    target.addEventListener("click", struck, { once: true });
    field.replaceChildren(target);
    target.focus({ preventScroll: true });
  };
  const struck = (): void => {
    const now_ms = performance.now();
    times_ms.push(now_ms - last_ms);
    last_ms = now_ms;
    hit += 1;
    if (hit < TARGETS) {
      result.textContent = `${hit} of ${TARGETS}`;
      next();
      return;
    }
    field.replaceChildren();
    times_ms = times_ms.slice(1).sort((a, b) => a - b);
    const middle_ms = Math.round(times_ms[times_ms.length >> 1] ?? 0);
    result.textContent = `All ${TARGETS}. Half of them took you less than ${middle_ms} ms.`;
    start.disabled = false;
    start.textContent = "Again";
    start.focus({ preventScroll: true });
    done(6);
  };
  start.addEventListener("click", () => {
    began(6);
    hit = 0;
    times_ms = [];
    last_ms = performance.now();
    start.disabled = true;
    next();
  });
}

function reading(): void {
  const region = at("task-read");
  region.addEventListener("scroll", () => {
    if (region.scrollTop + region.clientHeight > region.scrollHeight - 24) done(7);
  });
}

/** Make the tasks work, and tell `began` once whenever another one is turned to. */
export function startTasks(began: Began): void {
  copying();
  menus();
  places();
  editing();
  targets(began);
  reading();
  let current = 0;
  for (const card of document.querySelectorAll<HTMLElement>("[data-task]")) {
    const task = Number(card.dataset.task);
    card.addEventListener("focusin", () => {
      if (task === current) return;
      current = task;
      began(task);
    });
  }
}
