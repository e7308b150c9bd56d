import { KIND, SEQ } from "../../src/event.ts";
import { Kind } from "../../src/generated.ts";
import { type Outbox, type Part, type Recording, type Streams, partOf } from "../../src/outbox.ts";
import type { Step } from "../../src/vault.ts";
import type { Ask } from "./protocol.ts";

/** For so long an ended session is remembered, should its last words come twice. */
const REMEMBERED_MS = 3_600_000;
/** Where the last words of a page go: after all parts. */
const LAST_PART = 2 ** 31;

/** A session as it is kept: what its batches state, and how far they have come. */
interface Kept extends Recording {
  /** Events below this number are in closed batches; if they come again, they are dropped. */
  closed: number;
  /** When its page was found to be gone, wall clock; 0 while it is there. */
  gone_ms: number;
}

/**
 * What pages write, as the worker keeps it: sealed in the journal, then closed into batches. Every
 * step leaves the database whole, because the worker may be stopped after any of them; a page says
 * again what was not acknowledged, and event numbers tell what is there already.
 */
export class Desk {
  #outbox: Outbox;
  #work = new Map<string, Promise<unknown>>();
  #origins_ms = new Map<string, number>();

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** Do one thing of a session after the other. */
  #then<T>(session: string, work: () => Promise<T>): Promise<T> {
    const next = (this.#work.get(session) ?? Promise.resolve()).then(work);
    const settled = next.catch(() => undefined);
    this.#work.set(session, settled);
    void settled.then(() => this.#work.get(session) === settled && this.#work.delete(session));
    return next;
  }

  async #kept(session: string): Promise<Kept | null> {
    return (await this.#outbox.vault.get<Kept>("sessions", session))?.json ?? null;
  }

  /** Where on the wall clock the times of a session begin, ms since 1970. */
  async origin_ms(session: string): Promise<number> {
    const known = this.#origins_ms.get(session) ?? (await this.#kept(session))?.time_origin_ms ?? 0;
    this.#origins_ms.set(session, known);
    return known;
  }

  /** A session begins, or its page has woken the worker again. */
  begin(recording: Recording): Promise<void> {
    return this.#then(recording.session, async () => {
      const before = await this.#kept(recording.session);
      if (before && before.gone_ms === 0) return;
      const json: Kept = { ...(before ?? { ...recording, closed: 0 }), gone_ms: 0 };
      await this.#outbox.vault.change([{ store: "sessions", at: recording.session, json }]);
    });
  }

  /** Write what a page asks. Resolves when it is on the disk. */
  write(ask: Exclude<Ask, { do: "begin" }>): Promise<void> {
    if (ask.do === "close") return this.#then(ask.session, () => this.#close(ask.session));
    return this.#then(ask.session, async () => {
      const kept = await this.#kept(ask.session);
      if (!kept) return;
      const streams = fresh(ask.streams, kept.closed);
      if (streams.size === 0) return;
      const at = [ask.session, ask.part];
      await this.#outbox.vault.change([{ store: "journal", at, json: partOf(streams) }]);
    });
  }

  /** The last words of a page that closes; some of them may be written already. */
  last(session: string, streams: Part["streams"]): Promise<void> {
    return this.write({ do: "part", at: "", session, part: LAST_PART, streams });
  }

  /** Close what is journalled of a session; `gone`: its page will hardly come back. */
  close(session: string, gone: boolean): Promise<void> {
    return this.#then(session, async () => {
      await this.#close(session);
      const kept = gone ? await this.#kept(session) : null;
      if (!kept || kept.gone_ms > 0) return;
      const json: Kept = { ...kept, gone_ms: Date.now() };
      await this.#outbox.vault.change([{ store: "sessions", at: session, json }]);
    });
  }

  async #close(session: string): Promise<void> {
    const { vault } = this.#outbox;
    const kept = await this.#kept(session);
    const parts = await vault.all<Part>("journal", session);
    if (!kept || parts.length === 0) return;
    const streams: Streams = new Map();
    const seen = new Set<number>();
    for (const part of parts)
      for (const [key, rows] of fresh(part.json.streams, kept.closed)) {
        const others = rows.filter((row) => !seen.has(row[SEQ]));
        for (const row of others) seen.add(row[SEQ]);
        if (others.length > 0) streams.set(key, [...(streams.get(key) ?? []), ...others]);
      }
    const steps: Step[] = parts.map(({ at }) => ({ store: "journal", at }));
    const ended = [...streams.values()].some((run) => run.at(-1)?.[KIND] === Kind.SESSION_END);
    const produced = Math.max(kept.closed - 1, ...seen) + 1;
    const json: Kept = { ...kept, closed: produced, gone_ms: ended ? Date.now() : kept.gone_ms };
    steps.push({ store: "sessions", at: session, json });
    const counted = { produced, fresh: seen.size, end: ended };
    if (seen.size === 0) await vault.change(steps);
    else await this.#outbox.close(kept, streams, counted, steps);
  }

  /** Events that are written and not in batches yet. */
  async open(): Promise<number> {
    let rows = 0;
    for (const { json } of await this.#outbox.vault.all<Part>("journal"))
      for (const stream of Object.values(json.streams)) rows += stream.length;
    return rows;
  }

  /** Sessions whose pages may be there still; those long gone are forgotten. */
  async sessions(): Promise<string[]> {
    const { vault } = this.#outbox;
    const open: string[] = [];
    for (const { json, at } of await vault.all<Kept>("sessions")) {
      if (json.gone_ms === 0) open.push(json.session);
      else if (Date.now() - json.gone_ms > REMEMBERED_MS)
        await vault.change([{ store: "sessions", at }]);
    }
    return open;
  }
}

/** The events of a part that are not in closed batches yet. */
function fresh(streams: Part["streams"], closed: number): Streams {
  const kept: Streams = new Map();
  for (const [key, rows] of Object.entries(streams)) {
    const others = rows.filter((row) => row[SEQ] >= closed);
    if (others.length > 0) kept.set(key, others);
  }
  return kept;
}
