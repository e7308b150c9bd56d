import { COARSE, coarse } from "./coarse.ts";
import { BLANK, type Facts, type OvertEvent } from "./event.ts";
import { Kind } from "./generated.ts";
import { type Kept, type Outbox, type Recording, type Streams, entryId } from "./outbox.ts";
import { samples } from "./pointer.ts";
import { purposesFor } from "./purpose.ts";
import type { Step } from "./vault.ts";

const CLOSE_AT_ROWS = 4000;
const KEPT_ROWS_MAX = 16_384;
/** Moves that wait at most, so that it stays known about how many samples they are. */
const MOVED_MAX = 16;

/** Where a session's events go: the outbox, or, in the extension, the way there. */
export type Desk = Pick<Outbox, "begin" | "journal" | "last" | "close">;

interface Stream {
  key: string;
  purposes: string[];
  last: OvertEvent;
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
  /** Moves that a script made. */
  untrusted = 0;
  #outbox: Desk;
  #streams = new Map<number, Stream | null>();
  #byKey = new Map<string, Stream>();
  #pending: Streams = new Map();
  #open: Streams = new Map();
  /** Moves that nobody has looked at yet. */
  #moved: PointerEvent[] = [];
  /** Only of Chromium is it known that an event keeps its samples when it is over. */
  #movedMax = "userAgentData" in navigator ? MOVED_MAX : 1;
  #parts: Step[] = [];
  #part = 0;
  #closed = 0;
  #opened_ms = 0;
  #ended = false;
  /** Events that the journal may not have yet. */
  #unsaved = new Set<Streams>();
  #pad: Uint8Array | null = null;
  #left = false;
  #work: Promise<unknown> = Promise.resolve();

  constructor(recording: Recording, outbox: Desk) {
    this.recording = recording;
    this.#outbox = outbox;
    this.#then(async () => (this.#pad = await outbox.begin(recording)));
  }

  /**
   * A pointer moved. To ask where, and when, can wait until something else happens or the journal is
   * written: what costs a page twenty microseconds by itself costs one among many of its kind.
   * Returns whether there are events more.
   */
  moved(event: PointerEvent): boolean {
    // No method that a page may have replaced.
    this.#moved[this.#moved.length] = event;
    if (this.#moved.length < this.#movedMax) return false;
    this.#settle();
    return true;
  }

  #settle(): void {
    const moved = this.#moved;
    if (moved.length === 0) return;
    this.#moved = [];
    const make = (t_us: number, facts: Facts) => void this.#make(Kind.POINTER_MOVE, t_us, facts);
    for (const event of moved)
      try {
        if (!samples(event, make)) this.untrusted += 1;
      } catch {
        // A page that has replaced what this asks loses its moves, and nothing else.
      }
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
      stream = purposes.length ? (this.#byKey.get(key) ?? { key, purposes, last: BLANK }) : null;
      if (stream) this.#byKey.set(key, stream);
      this.#streams.set(kind, stream);
    }
    return stream;
  }

  /** Create an event, if a purpose needs it. Positions of other streams do not show in it. */
  add(kind: number, t_us: number, facts: Facts): { event: OvertEvent; purposes: string[] } | null {
    this.#settle();
    return this.#make(kind, t_us, facts);
  }

  #make(kind: number, t_us: number, facts: Facts) {
    const stream = this.#stream(kind);
    if (!stream || this.#ended) return null;
    if (this.recording.transform === COARSE) {
      const kept = coarse(kind, t_us, facts);
      if (!kept) return null;
      [t_us, facts] = kept;
    }
    const { last } = stream;
    const event: OvertEvent = {
      seq: this.produced,
      t_us,
      kind,
      key_class: facts.key_class ?? 0,
      key_symbol: facts.key_symbol ?? 0,
      slot: facts.slot ?? 0,
      modifiers: facts.modifiers ?? 0,
      edit: facts.edit ?? 0,
      edit_chars: facts.edit_chars ?? 0,
      role: facts.role ?? 0,
      element: facts.element ?? 0,
      button: facts.button ?? 0,
      pointer: facts.pointer ?? 0,
      scroll_x_css_px: facts.scroll_x_css_px ?? 0,
      scroll_y_css_px: facts.scroll_y_css_px ?? 0,
      value: facts.value ?? 0,
      // What happens at no place leaves the pointer where it was.
      x_8th_css_px: facts.x_8th_css_px ?? last.x_8th_css_px,
      y_8th_css_px: facts.y_8th_css_px ?? last.y_8th_css_px,
    };
    this.produced += 1;
    this.last_us = t_us;
    stream.last = event;
    const waiting = this.#pending.get(stream.key);
    if (waiting) waiting[waiting.length] = event;
    else this.#pending.set(stream.key, [event]);
    if (kind === Kind.SESSION_END) this.#ended = true;
    return { event, purposes: stream.purposes };
  }

  #then<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#work.then(work);
    this.#work = next.catch(() => undefined);
    return next;
  }

  /** Journal what is new; close batches when they are `age_ms` old or long. */
  flush(age_ms: number): Promise<void> {
    this.#settle();
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
        this.#parts.push({ store: "journal", at: [this.recording.session, part] });
        this.#opened_ms ||= performance.now();
        for (const [key, events] of pending) {
          const open = this.#open.get(key);
          if (open) open.push(...events);
          else this.#open.set(key, events);
        }
      }
      const rows = [...this.#open.values()].reduce((sum, events) => sum + events.length, 0);
      const isDue = this.#isOld(age_ms) || rows >= CLOSE_AT_ROWS;
      if (rows > 0 && !this.#left && isDue) await this.#close(rows);
    });
  }

  #isOld(age_ms: number): boolean {
    return performance.now() - this.#opened_ms >= age_ms;
  }

  async #close(rows: number): Promise<void> {
    const [streams, parts] = [this.#open, this.#parts];
    [this.#open, this.#parts, this.#opened_ms] = [new Map(), [], 0];
    const events = [...streams.values()];
    const produced = Math.max(...events.map((run) => (run.at(-1)?.seq ?? -1) + 1));
    const end = events.some((run) => run.at(-1)?.kind === Kind.SESSION_END);
    const counted = { produced, fresh: rows, end };
    for (const made of await this.#outbox.close(this.recording, streams, counted, parts)) {
      const size = [...this.kept.values()].reduce((sum, { rows }) => sum + rows.length, 0);
      if (size + made.rows.length <= KEPT_ROWS_MAX) this.kept.set(entryId(made.entry), made);
    }
    this.#closed += rows;
  }

  /** Events that are not yet in the outbox. */
  get open(): number {
    this.#settle();
    return this.produced - this.#closed;
  }

  /** The page goes away: mark the end, and journal at once; another page closes the batches. */
  leave(t_us: number): Promise<void> {
    this.add(Kind.SESSION_END, t_us, {});
    this.#left = true;
    const sealed = this.flush(Infinity);
    const streams: Streams = new Map();
    for (const part of this.#unsaved)
      for (const [key, events] of part) streams.set(key, [...(streams.get(key) ?? []), ...events]);
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
