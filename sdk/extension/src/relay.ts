import { type Recording, type Streams, partOf } from "../../src/outbox.ts";
import type { Desk } from "../../src/session.ts";
import { type Ask, LAST, type Last, type Permit, type ToPage, type ToWorker } from "./protocol.ts";

/** Whether this is the build for Chromium; the other one is for Firefox. */
declare const CHROMIUM: boolean;

const AGAIN_MS_MIN = 100;
const AGAIN_MS_MAX = 5000;

interface Waiting {
  n: number;
  ask: Ask;
  done: () => void;
}

/** What a page hears through its relay. */
export interface Hearer {
  /** `channel`: by which a frame hears of the page around it. */
  stands(permits: Permit[], channel: string): void;
  /** Hand over everything that is not closed yet. */
  flush(): void;
  /** The extension is gone from this browser, or was updated. */
  orphaned(): void;
}

/**
 * The way from a page to the worker's outboxes. It keeps in memory, and nowhere else, what the worker
 * has not acknowledged as written. A worker may die at any time; the next ask wakes it, and is told
 * all that is still open, in order. What was written already, the worker knows by its numbers.
 */
export class Relay {
  #hearer: Hearer;
  #port: chrome.runtime.Port | null = null;
  #waiting: Waiting[] = [];
  /** How the session of each study began: said again to each new worker. */
  #begins = new Map<string, Last["begin"]>();
  #n = 0;
  #again_ms = AGAIN_MS_MIN;
  #timer = 0;

  constructor(hearer: Hearer) {
    this.#hearer = hearer;
  }

  /** Events that only this page has. */
  get unwritten(): number {
    let rows = 0;
    for (const { ask } of this.#waiting)
      if (ask.do === "part") for (const stream of Object.values(ask.streams)) rows += stream.length;
    return rows;
  }

  /** Reach the worker, waking it; it answers with how things stand. */
  connect(): void {
    if (this.#port) return;
    let port: chrome.runtime.Port;
    try {
      if (!chrome.runtime?.id) throw new Error("gone");
      port = chrome.runtime.connect({ name: "page" });
    } catch {
      this.#hearer.orphaned();
      return;
    }
    this.#port = port;
    port.onMessage.addListener((message) => this.#heard(message as ToPage));
    port.onDisconnect.addListener(() => this.#lost(port));
    for (const ask of this.#begins.values()) this.post({ ask, n: 0 });
    for (const { ask, n } of this.#waiting) this.post({ ask, n });
  }

  #lost(port: chrome.runtime.Port): void {
    void chrome.runtime.lastError; // a page that is put aside loses its port; that is no error
    if (this.#port !== port) return;
    this.#port = null;
    // A worker that rests is left alone; it is woken for what is not written.
    if (this.#waiting.length > 0 && !this.#timer) {
      this.#timer = window.setTimeout(() => {
        this.#timer = 0;
        this.connect();
      }, this.#again_ms);
      this.#again_ms = Math.min(AGAIN_MS_MAX, this.#again_ms * 2);
    }
  }

  #heard(message: ToPage): void {
    if ("permits" in message) this.#hearer.stands(message.permits, message.channel);
    else if ("flush" in message) this.#hearer.flush();
    else {
      this.#again_ms = AGAIN_MS_MIN;
      while (this.#waiting[0] && this.#waiting[0].n <= message.written) this.#waiting.shift()?.done();
    }
  }

  /** Say something that needs no answer; it is lost if the worker is gone. */
  post(message: ToWorker): void {
    try {
      this.#port?.postMessage(message);
    } catch {
      this.#port = null;
    }
  }

  #ask(ask: Ask): Promise<void> {
    const n = (this.#n += 1);
    const written = new Promise<void>((done) => this.#waiting.push({ n, ask, done }));
    if (this.#port) this.post({ ask, n });
    else if (!this.#timer) this.connect();
    return written;
  }

  /** Nothing that waits of a study is wanted any more. */
  drop(at: string): void {
    this.#waiting = this.#waiting.filter(({ ask }) => ask.at !== at);
    this.#begins.delete(at);
  }

  /** Where the sessions of a study go. */
  desk(at: string): Desk {
    return {
      begin: async ({ session, time_origin_ms, clock_resolution_us }: Recording) => {
        const begin = { do: "begin" as const, at, session, time_origin_ms, clock_resolution_us };
        this.#begins.set(at, begin);
        void this.#ask(begin);
        return new Uint8Array();
      },
      journal: (session: string, part: number, streams: Streams) =>
        this.#ask({ do: "part", at, session, part, ...partOf(streams) }),
      last: (session: string, _pad: Uint8Array, streams: Streams) => this.#last(at, session, streams),
      // The worker has the events already; batches are made there.
      close: async ({ session }: Recording): Promise<never[]> => {
        await this.#ask({ do: "close", at, session });
        return [];
      },
    };
  }

  /** The page closes: say it all at once, there will be no second time. */
  #last(at: string, session: string, streams: Streams): void {
    const begin = this.#begins.get(at);
    if (begin?.session !== session) return;
    const last: Last = { origin: location.origin, begin, ...partOf(streams) };
    this.#begins.delete(at);
    try {
      if (CHROMIUM) {
        void chrome.storage.session?.set({ [LAST + session]: last }).catch(() => undefined);
        // A frame is gone before that is done; what comes twice counts once.
        if (window !== window.top) this.post({ last });
        return;
      }
    } catch {
      // The extension was updated or removed meanwhile: there is nobody to tell.
      return;
    }
    // Firefox keeps its memory from pages, and hands on what is said to a background that rests.
    this.connect();
    this.post({ last });
  }
}
