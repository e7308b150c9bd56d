/** Step 3: what is recorded, before it leaves; and everything that takes it back. */

import { Kind, WIRE } from "../../../../sdk/src/generated.ts";
import type { OutboxEntry, Overt, OvertEvent, Watched } from "../../../../sdk/src/index.ts";
import { describe } from "../../../../sdk/src/more.ts";
import { make } from "../../../../sdk/src/make.ts";
import { at, busy, byTest, bytesText, row, say } from "./dom.ts";

const LIVE_ROWS_MAX = 60;
const LOOK_ROWS_MAX = 200;
const COUNTS = ["produced", "waiting", "sent", "acknowledged", "removed", "lost"] as const;

/** What the person did, in their own terms; made during the call and kept in the table only. */
function before(source: Event | null): string {
  if (source instanceof KeyboardEvent)
    return `${source.key === " " ? "space" : source.key} ${source.type === "keydown" ? "↓" : "↑"}`;
  if (source instanceof InputEvent)
    return source.data ? `typed “${source.data.replaceAll(" ", "␣")}”` : source.inputType;
  if (source instanceof WheelEvent) return "turned the wheel";
  if (source instanceof MouseEvent) {
    const words: Record<string, string> = {
      pointermove: "moved to",
      pointerdown: "pressed at",
      pointerup: "let go at",
      pointerover: "came onto what is at",
      pointercancel: "scrolled or dragged from",
      click: "clicked at",
      auxclick: "clicked at",
    };
    const place = `${Math.round(source.clientX)}, ${Math.round(source.clientY)}`;
    return `${words[source.type] ?? source.type} ${place}`;
  }
  return source ? source.type : "·";
}

const DELTAS: Record<string, keyof OvertEvent> = {
  dseq: "seq",
  dt_us: "t_us",
  dx_8th_css_px: "x_8th_css_px",
  dy_8th_css_px: "y_8th_css_px",
};

/** The row as it stands in the batch: little-endian columns in hex, a dot where all bytes are 0. */
function rowBytes(event: OvertEvent, last: OvertEvent | undefined): string {
  return WIRE.map(([name, width]) => {
    const source = DELTAS[name];
    const value = source
      ? event[source] - (last ?? event)[source]
      : event[name as keyof OvertEvent];
    if (!value) return "·";
    const bytes = new DataView(new ArrayBuffer(4));
    bytes.setInt32(0, value, true);
    return hex(new Uint8Array(bytes.buffer, 0, width));
  }).join(" ");
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

class LiveTable {
  private readonly body = at<HTMLTableSectionElement>("live");
  private readonly lastOf = new Map<string, OvertEvent>();
  private pending: { did: string; watched: Watched; after_us: number; bytes: string }[] = [];
  private last_us = 0;
  private moves = 0;

  add(watched: Watched): void {
    const { event } = watched;
    const after_us = this.last_us ? event.t_us - this.last_us : 0;
    this.last_us = event.t_us;
    const stream = watched.purposes.join();
    const bytes = rowBytes(event, this.lastOf.get(stream));
    this.lastOf.set(stream, event);
    this.pending.push({ did: before(watched.source), watched, after_us, bytes });
    if (this.pending.length === 1) requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    for (const { did, watched, after_us, bytes } of this.pending.slice(-LIVE_ROWS_MAX)) {
      const move = watched.event.kind === Kind.POINTER_MOVE;
      this.moves = move ? this.moves + 1 : 0;
      const words = describe(watched.event);
      const text = this.moves > 1 ? `${words} ×${this.moves}` : words;
      const kept = make("div", {}, text, make("code", { class: "hex" }, bytes));
      const made = row([did, kept, `${(after_us / 1000).toFixed(1)} ms`]);
      if (this.moves > 1) this.body.firstElementChild?.replaceWith(made);
      else this.body.prepend(made);
    }
    this.pending = [];
    while (this.body.rows.length > LIVE_ROWS_MAX) this.body.deleteRow(-1);
  }

  forget(): void {
    this.pending = [];
    this.lastOf.clear();
    this.body.replaceChildren();
  }
}

function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let from = 0; from < bytes.length; from += 16) {
    const part = bytes.subarray(from, from + 16);
    const text = [...part]
      .map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "."))
      .join("");
    lines.push(`${from.toString(16).padStart(5, "0")}  ${hex(part).padEnd(32)}  ${text}`);
  }
  return lines.join("\n");
}

/** What is inside an entry: its header, its rows in words, and the bytes themselves. */
function inside(entry: OutboxEntry): HTMLElement {
  const words = entry.events
    .slice(0, LOOK_ROWS_MAX)
    .map((event) => `${String(event.seq).padStart(6)}  ${(event.t_us / 1e6).toFixed(4)} s  ${describe(event)}`);
  if (entry.events.length > LOOK_ROWS_MAX)
    words.push(`… and ${entry.events.length - LOOK_ROWS_MAX} more`);
  const pre = (label: string, text: string): HTMLElement =>
    make("pre", { tabindex: "0", "aria-label": label }, text);
  return make(
    "div",
    { class: "inside" },
    make("p", { class: "small quiet" }, "Says of itself"),
    pre("Header of the batch", JSON.stringify(entry.header, null, 1)),
    make("p", { class: "small quiet" }, "Events"),
    pre("Events of the batch", words.join("\n")),
    make("p", { class: "small quiet" }, `All ${entry.bytes.length} bytes, before compression`),
    pre("Bytes of the batch", hexDump(entry.bytes)),
  );
}

class Outbox {
  private readonly list = at("outbox");
  private readonly shown = new Map<string, { item: HTMLElement; clock: HTMLElement; due_ms: number }>();

  private readonly overt: Overt;

  constructor(overt: Overt) {
    this.overt = overt;
  }

  async refresh(): Promise<void> {
    const entries = await this.overt.outbox();
    const ids = new Set(entries.map((entry) => entry.id));
    for (const [id, { item }] of this.shown) {
      if (ids.has(id)) continue;
      if (item.contains(document.activeElement)) this.list.focus();
      item.remove();
      this.shown.delete(id);
    }
    for (const entry of entries) if (!this.shown.has(entry.id)) this.add(entry);
    for (const entry of entries) {
      const known = this.shown.get(entry.id);
      if (known) known.due_ms = entry.due_ms;
    }
    at("outbox-empty").hidden = entries.length > 0;
    byTest<HTMLButtonElement>("send-now").disabled = entries.length === 0;
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
    byTest("count-bytes").textContent = bytesText(bytes);
    this.tick();
  }

  tick(): void {
    for (const { clock, due_ms } of this.shown.values()) {
      const left_s = Math.ceil((due_ms - Date.now()) / 1000);
      clock.textContent = left_s > 0 ? `${left_s} s` : "leaving";
    }
    const next = at("next-leaves");
    const first_s = Math.min(...[...this.shown.values()].map(({ due_ms }) => due_ms)) - Date.now();
    next.hidden = this.shown.size === 0;
    const when = first_s > 0 ? `in ${Math.ceil(first_s / 1000)} s` : "now";
    next.textContent = `The first of ${this.shown.size} waiting groups leaves ${when}.`;
  }

  private add(entry: OutboxEntry): void {
    const clock = make("span", { class: "count-down" });
    const name = `group ${entry.batch + 1}, ${entry.rows} events`;
    const look = make(
      "button",
      { type: "button", class: "slim", "data-testid": "entry-look", "aria-expanded": "false", "aria-label": `Look inside ${name}` },
      "Look",
    );
    const remove = make(
      "button",
      { type: "button", class: "slim", "data-testid": "entry-remove", "aria-label": `Remove ${name}` },
      "Remove",
    );
    const item = make(
      "li",
      { "data-entry": entry.id },
      clock,
      make("span", {}, `${entry.rows} events · ${bytesText(entry.bytes.length)}`),
      make("span", { class: "quiet small" }, `for ${entry.purposes.join(", ")}`),
      make("div", { class: "actions" }, look, remove),
    );
    look.addEventListener("click", () => {
      const opened = item.querySelector(".inside");
      if (opened) opened.remove();
      else item.append(inside(entry));
      look.setAttribute("aria-expanded", String(!opened));
      look.textContent = opened ? "Look" : "Close";
    });
    remove.addEventListener("click", () =>
      busy(remove, async () => {
        const now = (await this.overt.outbox()).find(({ id }) => id === entry.id);
        const gone = await this.overt.remove([entry.id]);
        if (gone === 0) say("Too late to remove here: it has been sent. Step 3 can delete it there.");
        else if (now?.sent)
          say(`${gone} events removed here. They had been tried to send and may have arrived.`);
        else say(`${gone} events removed. They never left this device.`);
      }),
    );
    this.list.append(item);
    this.shown.set(entry.id, { item, clock, due_ms: entry.due_ms });
  }
}

/** Counts of the server, beside those of the device. */
async function storedOnServer(overt: Overt): Promise<number | null> {
  const answer = await overt.fetch("/v1/me/state");
  if (!answer.ok) return null;
  const state = (await answer.json()) as { stored: { events: number } };
  return state.stored.events;
}

export interface Mirror {
  refresh(): void;
  forget(): void;
}

export function startMirror(overt: Overt): Mirror {
  const live = new LiveTable();
  const outbox = new Outbox(overt);
  let asked = -1;
  let working = false;
  let again = false;

  const counts = async (): Promise<void> => {
    const now = await overt.counts();
    for (const name of COUNTS) byTest(`count-${name}`).textContent = String(now[name]);
    if (now.acknowledged !== asked && overt.state().receiptId) {
      asked = now.acknowledged;
      const stored = await storedOnServer(overt);
      if (stored !== null) byTest("count-stored").textContent = String(stored);
    }
    at("balance").textContent = now.produced
      ? `${now.produced} produced = ${now.acknowledged} acknowledged + ${now.waiting} waiting + ${now.removed} removed + ${now.lost} lost`
      : "Nothing has been recorded.";
  };

  const refresh = (): void => {
    if (working) {
      again = true;
      return;
    }
    working = true;
    void Promise.all([counts(), outbox.refresh()])
      .catch(() => undefined)
      .finally(() => {
        working = false;
        if (again) {
          again = false;
          refresh();
        }
      });
  };

  overt.watch((watched) => live.add(watched));
  window.setInterval(() => outbox.tick(), 500);
  window.setInterval(() => {
    if (overt.state().phase !== "none") refresh();
  }, 1000);
  const send = byTest<HTMLButtonElement>("send-now");
  send.addEventListener("click", () =>
    busy(send, async () => {
      await overt.sendNow();
      refresh();
    }),
  );
  return {
    refresh: () => {
      asked = -1;
      refresh();
    },
    forget: () => live.forget(),
  };
}
