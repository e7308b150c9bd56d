import { now_ms } from "./clock.ts";
import { COARSE, coarse } from "./coarse.ts";
import { type Facts, KIND, type Row, SEQ } from "./event.ts";
import { Kind } from "./generated.ts";
import { type Kept, type Outbox, type Recording, type Streams, entryId } from "./outbox.ts";
import { purposesFor } from "./purpose.ts";
import type { Step } from "./vault.ts";

const CLOSE_AT_ROWS = 4000;
const KEPT_ROWS_MAX = 16_384;
/** About so many events may wait to be made, so that what is new fits beside a session that ends. */
const LATER_MAX = 128;

/** Tells time (µs), kind and facts of an event. */
export type Tell = (kind: number, t_us: number, facts: Facts) => void;
/** Reads a browser's event, now or a moment later, and tells what there is of it. */
export type Take = (event: any, tell: Tell) => void;

/** Hears of each event as it is made; returns whether somebody watches, so that none may wait. */
export type Made = (row: Row, purposes: string[], source: Event | null) => boolean;

/** Where a session's events go: the outbox, or, in the extension, the way there. */
export type Desk = Pick<Outbox, "begin" | "journal" | "last" | "close">;

interface Stream {
  key: string;
  purposes: string[];
  /** Where the pointer was last. */
  x_8th_css_px: number;
  y_8th_css_px: number;
}

/** Hold a lock until the returned function is called or the page is gone. */
export function hold(lock: string): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  void navigator.locks.request(lock, () => held);
  return release;
}

/** One page's recording from its start mark to its end mark: numbers events, journals, closes. */
export class Session {
  readonly recording: Recording;
  /** Closed batches that are still here, so that a closing page can send them at once. */
  readonly kept = new Map<string, Kept>();
  produced = 0;
  last_us = 0;
  /** Of the events that could wait, those that a script made. */
  untrusted = 0;
  #outbox: Desk;
  #streams = new Map<number, Stream | null>();
  #byKey = new Map<string, Stream>();
  #pending: Streams = new Map();
  #open: Streams = new Map();
  /** Events that nobody has looked at yet, each behind what reads it; so long it may become. */
  waiting: (Event | Take)[] = [];
  enough = 0;
  #made: Made;
  #isOpen: () => boolean;
  #isWatched = false;
  /** Only of Chromium is it known that an event keeps its samples when it is over. */
  #lasts = "userAgentData" in navigator;
  #part = 0;
  #closed = 0;
  #opened_ms = 0;
  #ended = false;
  /** Events that the journal may not have yet. */
  #unsaved = new Set<Streams>();
  #pad: Uint8Array | null = null;
  #left = false;
  #work: Promise<unknown> = Promise.resolve();

  /** `isOpen`: whether what waits may be recorded. */
  constructor(
    recording: Recording,
    outbox: Desk,
    made: Made = () => false,
    isOpen: () => boolean = () => true,
  ) {
    this.recording = recording;
    this.#outbox = outbox;
    this.#made = made;
    this.#isOpen = isOpen;
    this.#then(async () => (this.#pad = await outbox.begin(recording)));
  }

  /** Something happened that can be read a moment later; capture does the same without a call. */
  later(event: Event, take: Take): void {
    const { waiting } = this;
    // No method that a page may have replaced.
    waiting[waiting.length] = take;
    waiting[waiting.length] = event;
    if (waiting.length >= this.enough) this.settle();
  }

  /**
   * Read what waits: what costs a page twenty microseconds by itself costs two among many of its kind.
   * Asked before it changes whether anything is recorded, too: what waits is judged by what held.
   */
  settle(): void {
    const { waiting } = this;
    const waited = waiting.length / 2;
    if (waited === 0) return;
    this.waiting = [];
    const before = this.produced;
    const isOpen = this.#isOpen();
    for (let at = 0; isOpen && at < waiting.length; at += 2)
      try {
        const event = waiting[at + 1] as Event;
        const tell: Tell = (kind, t_us, facts) => this.#make(kind, t_us, facts, event);
        if (event.isTrusted) (waiting[at] as Take)(event, tell);
        else this.untrusted += 1;
      } catch {
        // A page that has replaced what this asks loses these events, and nothing else.
      }
    // One move may be many samples: as many of them as make about so many events.
    const each = Math.max(1, (this.produced - before) / waited);
    this.enough = this.#isWatched || !this.#lasts ? 0 : Math.max(2, (2 * LATER_MAX) / each);
  }

  /** Whether a consented purpose needs events of this kind. */
  wants(kind: number): boolean {
    return this.#stream(kind) !== null;
  }

  #stream(kind: number): Stream | null {
    let stream = this.#streams.get(kind);
    if (stream === undefined) {
      const purposes = purposesFor(kind, this.recording.purposes);
      const key = purposes.join(" ");
      const fresh = { key, purposes, x_8th_css_px: 0, y_8th_css_px: 0 };
      stream = purposes.length ? (this.#byKey.get(key) ?? fresh) : null;
      if (stream) this.#byKey.set(key, stream);
      this.#streams.set(kind, stream);
    }
    return stream;
  }

  /** Create an event, if a purpose needs it. Positions of other streams do not show in it. */
  add(kind: number, t_us: number, facts: Facts, source: Event | null = null): void {
    this.settle();
    this.#make(kind, t_us, facts, source);
  }

  #make(kind: number, t_us: number, facts: Facts, source: Event | null): void {
    const stream = this.#stream(kind);
    if (!stream || this.#ended) return;
    if (this.recording.transform === COARSE) {
      const kept = coarse(kind, t_us, facts);
      if (!kept) return;
      [t_us, facts] = kept;
    }
    // What happens at no place leaves the pointer where it was.
    const { x_8th_css_px = stream.x_8th_css_px, y_8th_css_px = stream.y_8th_css_px } = facts;
    const row: Row = [
      this.produced,
      t_us,
      kind,
      facts.key_class ?? 0,
      facts.key_symbol ?? 0,
      facts.slot ?? 0,
      facts.modifiers ?? 0,
      facts.edit ?? 0,
      facts.edit_chars ?? 0,
      facts.role ?? 0,
      facts.element ?? 0,
      facts.button ?? 0,
      facts.pointer ?? 0,
      facts.scroll_x_css_px ?? 0,
      facts.scroll_y_css_px ?? 0,
      facts.value ?? 0,
      x_8th_css_px,
      y_8th_css_px,
    ];
    this.produced += 1;
    this.last_us = t_us;
    stream.x_8th_css_px = x_8th_css_px;
    stream.y_8th_css_px = y_8th_css_px;
    const waiting = this.#pending.get(stream.key);
    if (waiting) waiting[waiting.length] = row;
    else this.#pending.set(stream.key, [row]);
    if (kind === Kind.SESSION_END) this.#ended = true;
    this.#isWatched = this.#made(row, stream.purposes, source);
  }

  #then<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#work.then(work);
    this.#work = next.catch(() => undefined);
    return next;
  }

  /** Journal what is new; close batches when they are `age_ms` old or long. */
  flush(age_ms: number): Promise<void> {
    this.settle();
    const pending = this.#pending;
    const isNew = pending.size > 0;
    if (isNew) {
      this.#pending = new Map();
      this.#unsaved.add(pending);
    } else if (age_ms && !(this.#open.size && this.#isOld(age_ms))) return this.#work.then(() => {});
    return this.#then(async () => {
      if (isNew) {
        const part = (this.#part += 1);
        await this.#outbox.journal(this.recording.session, part, pending);
        this.#unsaved.delete(pending);
        this.#opened_ms ||= now_ms();
        for (const [key, rows] of pending) {
          const open = this.#open.get(key);
          if (open) open.push(...rows);
          else this.#open.set(key, rows);
        }
      }
      const rows = [...this.#open.values()].reduce((sum, run) => sum + run.length, 0);
      const isDue = this.#isOld(age_ms) || rows >= CLOSE_AT_ROWS;
      if (rows > 0 && !this.#left && isDue) await this.#close(rows);
    });
  }

  #isOld(age_ms: number): boolean {
    return now_ms() - this.#opened_ms >= age_ms;
  }

  async #close(rows: number): Promise<void> {
    const streams = this.#open;
    [this.#open, this.#opened_ms] = [new Map(), 0];
    const { session } = this.recording;
    const parts: Step[] = [{ store: "journal", at: [session, 0], to: [session, this.#part] }];
    const runs = [...streams.values()];
    const produced = Math.max(...runs.map((run) => (run.at(-1)?.[SEQ] ?? -1) + 1));
    const end = runs.some((run) => run.at(-1)?.[KIND] === Kind.SESSION_END);
    const counted = { produced, fresh: rows, end };
    for (const made of await this.#outbox.close(this.recording, streams, counted, parts)) {
      const size = [...this.kept.values()].reduce((sum, { rows }) => sum + rows.length, 0);
      if (size + made.rows.length <= KEPT_ROWS_MAX) this.kept.set(entryId(made.entry), made);
    }
    this.#closed += rows;
  }

  /** Events that are not yet in the outbox. */
  get open(): number {
    this.settle();
    return this.produced - this.#closed;
  }

  /** The page goes away: mark the end, and journal at once; another page closes the batches. */
  leave(t_us: number): Promise<void> {
    this.add(Kind.SESSION_END, t_us, {});
    this.#left = true;
    const sealed = this.flush(Infinity);
    const streams: Streams = new Map();
    for (const part of this.#unsaved)
      for (const [key, rows] of part) streams.set(key, [...(streams.get(key) ?? []), ...rows]);
    if (this.#pad) this.#outbox.last(this.recording.session, this.#pad, streams);
    this.#pad = null;
    return sealed;
  }

  /** Mark the end and close everything that is open. */
  async finish(t_us: number): Promise<void> {
    this.add(Kind.SESSION_END, t_us, {});
    await this.flush(0);
  }
}
