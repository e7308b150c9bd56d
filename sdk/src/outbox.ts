import type { Proof } from "./account.ts";
import { type BatchHeader, anchors, cut } from "./batch.ts";
import type { split } from "./entries.ts";
import { KIND, type Row, SEQ } from "./event.ts";
import { Kind, SCHEMA_ID } from "./generated.ts";
import type { Ledger } from "./ledger.ts";
import { purposesFor } from "./purpose.ts";
import type { Place, Step, Vault } from "./vault.ts";

/** Rows in one batch at most; few enough that a person can look through one. */
const ROWS_MAX = 500;

/** Room for the last events of a closing page: some six hundred of them. */
const PAD_BYTES = 32_768;

/** What stays the same over a session; enough to close the batches of a page that has died. */
export interface Recording {
  session: string;
  study: string;
  receipt: string;
  purposes: string[];
  level: "rhythm" | "keys";
  transform: string;
  time_origin_ms: number;
  clock_resolution_us: number;
  outbox_delay_s: number;
  /** The program that records; the SDK where absent. */
  source?: string;
}

/** What the outbox knows of a batch beside its rows. */
export interface Entry {
  header: BatchHeader;
  closed_ms: number;
  due_ms: number;
  sent: boolean;
}

export const entryId = ({ header }: Entry): string => `${header.session}/${header.batch}`;
export const placeOf = ({ header }: Entry): Place => [header.session, header.batch];

/** A batch as it waits: its rows are those of the journal. */
export interface Kept {
  entry: Entry;
  rows: Row[];
}

/** The third file, as far as it is needed here: for what is too large. */
export type More = () => Promise<{ split: typeof split }>;

/** Rows of one session by stream; the stream's purposes, joined by spaces, are the key. */
export type Streams = Map<string, Row[]>;

/** Events of less than a second, as the journal keeps them. */
export interface Part {
  streams: Record<string, Row[]>;
}

export const partOf = (streams: Streams): Part => ({ streams: Object.fromEntries(streams) });

/** The same rows under a changed header. */
const reheaded = ({ entry, rows }: Kept, change: Partial<BatchHeader>): Kept => ({
  entry: { ...entry, header: { ...entry.header, ...change } },
  rows,
});

const masked = (text: Uint8Array, pad: Uint8Array): Uint8Array =>
  text.map((byte, at) => byte ^ (pad[at] ?? 0));

/** What waits on this device to leave: the journal of open events, and closed batches. */
export class Outbox {
  readonly vault: Vault;
  readonly ledger: Ledger;
  readonly more: More;
  /** Nothing that waits is due before, ms since 1970, as far as this page knows. */
  due_ms = 0;

  constructor(vault: Vault, ledger: Ledger, more: More) {
    this.vault = vault;
    this.ledger = ledger;
    this.more = more;
  }

  /**
   * Note that a session has begun, so that another page can close it should this one die. Returns
   * a pad for `last`: random bytes that lie sealed beside the session.
   */
  async begin(recording: Recording): Promise<Uint8Array> {
    const bytes = crypto.getRandomValues(new Uint8Array(PAD_BYTES));
    await this.vault.change([{ store: "sessions", at: recording.session, json: recording, bytes }]);
    return bytes;
  }

  /**
   * Journal the last events of a page that closes. Sealing would not finish any more, so they are
   * masked with the pad, which is used this once. What is too long for it is lost; the end, which
   * always fits, lets it be counted.
   */
  last(session: string, pad: Uint8Array, streams: Streams): void {
    const written = (kept: Streams) => new TextEncoder().encode(JSON.stringify(partOf(kept)));
    let text = written(streams);
    if (text.length > pad.length)
      for (const [key, rows] of streams)
        if (rows.at(-1)?.[KIND] === Kind.SESSION_END) text = written(new Map([[key, rows.slice(-1)]]));
    if (text.length <= pad.length) this.vault.putLast(session, masked(text, pad));
  }

  /** Journal events, sealed. `part` numbers the parts of a session. */
  async journal(session: string, part: number, streams: Streams): Promise<void> {
    await this.vault.change([{ store: "journal", at: [session, part], json: partOf(streams) }]);
  }

  /**
   * Close batches of these events and put them into the outbox, in one transaction with the end of
   * their journal (`journalled`). `produced` counts the session so far, `fresh` those closed now.
   */
  async close(
    recording: Recording,
    streams: Streams,
    counted: { produced: number; fresh: number; end: boolean },
    journalled: Step[],
  ): Promise<Kept[]> {
    const all = purposesFor(Kind.SESSION_START, recording.purposes).join(" ");
    const ordered = [...streams].sort(([a], [b]) => Number(a === all) - Number(b === all));
    const runs = ordered.flatMap(([key, all]) =>
      cut(all, ROWS_MAX).map((rows) => ({ purposes: key.split(" "), rows })),
    );
    const rows = runs.reduce((sum, { rows }) => sum + rows.length, 0);
    const closed_ms = Date.now();
    // A page may have replaced what this uses: what went missing is not passed over in silence.
    if (rows !== counted.fresh || !(closed_ms > 0)) throw new TypeError();
    const number = await this.vault.number(recording.session, runs.length);
    const before = await this.ledger.counts(recording.session);
    const due_ms = closed_ms + recording.outbox_delay_s * 1000;
    const made = runs.map(({ purposes, rows }, index): Kept => {
      const header: BatchHeader = {
        schema: SCHEMA_ID,
        source: recording.source ?? "sdk/0.1.0",
        study: recording.study,
        receipt: recording.receipt,
        session: recording.session,
        batch: number + index,
        purposes,
        level: recording.level,
        transform: recording.transform,
        rows: 0,
        first_seq: 0,
        time_origin_ms: recording.time_origin_ms,
        t0_us: 0,
        clock_resolution_us: recording.clock_resolution_us,
        x0_8th_css_px: 0,
        y0_8th_css_px: 0,
        produced: counted.produced,
        removed: before.removed,
        lost: before.lost,
        end: counted.end && index === runs.length - 1,
      };
      const entry = { header: { ...header, ...anchors(rows) }, closed_ms, due_ms, sent: false };
      return { entry, rows };
    });
    const steps: Step[] = made.map((kept) => this.put(kept));
    steps.push(...journalled, this.ledger.fact(recording.session, { produced: counted.fresh }));
    await this.vault.change(steps);
    this.due_ms = Math.min(this.due_ms, due_ms);
    return made;
  }

  /** The step that puts an entry into the outbox. */
  put(json: Kept): Step {
    return { store: "outbox", at: placeOf(json.entry), json };
  }

  /** Close what the journal still holds of a session whose page is gone. */
  async recover(session: string): Promise<void> {
    const kept = await this.vault.get<Recording>("sessions", session);
    const parts = await this.vault.all<Part>("journal", session);
    const last = kept && (await this.vault.last(session));
    const all = parts.map((part) => part.json);
    if (last) all.push(JSON.parse(new TextDecoder().decode(masked(last, kept.bytes))) as Part);
    if (kept && all.length > 0) {
      const streams: Streams = new Map();
      const seen = new Set<number>();
      let end = false;
      for (const part of all)
        for (const [key, rows] of Object.entries(part.streams)) {
          const others = rows.filter((row) => !seen.has(row[SEQ]));
          streams.set(key, [...(streams.get(key) ?? []), ...others]);
          for (const row of others) seen.add(row[SEQ]);
          end ||= others.some((row) => row[KIND] === Kind.SESSION_END);
        }
      const journalled: Step[] = [{ store: "last", at: session }];
      const to = parts.at(-1)?.at;
      if (to) journalled.push({ store: "journal", at: [session, 0], to });
      // Where there was no room for some time, the last events are not the newest.
      for (const rows of streams.values()) rows.sort((one, other) => one[SEQ] - other[SEQ]);
      const produced = Math.max(...seen) + 1;
      const lost = produced - seen.size - (await this.ledger.counts(session)).produced;
      if (lost > 0) await this.vault.change([this.ledger.fact(session, { produced: lost, lost })]);
      await this.close(kept.json, streams, { produced, fresh: seen.size, end }, journalled);
    }
    await this.vault.change([{ store: "sessions", at: session }]);
  }

  /** Write many counts as one; `open`: sessions that go on. See `Ledger.fold`. */
  async fold(open: Place[]): Promise<void> {
    await this.ledger.fold(async () => {
      const waiting = await this.places();
      return new Set([...open, ...waiting.map((at) => at[0])].map(String));
    });
  }

  places(): Promise<Place[]> {
    return this.vault.places("outbox");
  }

  async entry(at: Place): Promise<Kept | null> {
    return (await this.entries([at]))[0] ?? null;
  }

  /** Entries at these places; null where there is none any more. */
  async entries(places: readonly Place[]): Promise<(Kept | null)[]> {
    const found = await this.vault.some<Kept>("outbox", places);
    // Before the first release one lay there in another form.
    return found.map((kept) => (kept?.json.entry ? kept.json : null));
  }

  /**
   * Note that entries are handed to the network, those for the first time; returns them with the
   * form to hand on. The end of a session is told with what was removed and lost until now.
   */
  async leaving(all: readonly Kept[]): Promise<Kept[]> {
    const steps: Step[] = [];
    const told: Kept[] = [];
    for (let kept of all) {
      let { header } = kept.entry;
      if (!kept.entry.sent) {
        if (header.end) {
          const { removed, lost } = await this.ledger.counts(header.session);
          header = { ...header, removed, lost };
        }
        kept = { rows: kept.rows, entry: { ...kept.entry, header, sent: true } };
        steps.push(this.put(kept), this.ledger.fact(header.session, { sent: header.rows }));
      }
      told.push(kept);
    }
    await this.vault.change(steps);
    return told;
  }

  /** The collector has them. The only way, beside removal and loss, that an entry ends. */
  async acknowledged(entries: readonly Entry[]): Promise<void> {
    await this.vault.change(
      entries.flatMap((entry): Step[] => [
        { store: "outbox", at: placeOf(entry) },
        this.ledger.fact(entry.header.session, {
          acknowledged: entry.header.rows,
          stored: entry.header.rows,
        }),
      ]),
    );
  }

  /**
   * The person took it out, it waited too long, or the collector cannot take it, ever. Returns the
   * events that ended. If it told the session's end, the last one that still waits tells it; if
   * none does, nobody is told.
   */
  async drop(entry: Entry, as: "removed" | "lost" | "quarantined"): Promise<number> {
    const at = placeOf(entry);
    const { session, batch, rows, end } = entry.header;
    const steps: Step[] = [{ store: "outbox", at }, this.ledger.fact(session, { [as]: rows })];
    const ended = end ? await this.entry(at) : null;
    if (ended) {
      const { produced } = ended.entry.header;
      const others = await this.entries(await this.vault.places("outbox", session));
      const heir = others.findLast((one) => one && one.entry.header.batch !== batch && !one.entry.sent);
      if (heir) steps.push(this.put(reheaded(heir, { end, produced })));
    }
    await this.vault.change(steps);
    return rows;
  }

  /** Drop all that waits of a session as lost. */
  async lose(session: string): Promise<void> {
    for (const at of await this.vault.places("outbox", session)) {
      const found = await this.entry(at);
      if (found) await this.drop(found.entry, "lost");
    }
  }

  /** After a withdrawal: drop what only withdrawn purposes needed, rename the rest. */
  async narrow({ receipt_id, purposes }: Proof): Promise<void> {
    for (const at of await this.places()) {
      const found = await this.entry(at);
      if (found?.entry.header.receipt !== receipt_id) continue;
      const before = found.entry.header.purposes;
      const left = before.filter((id) => purposes.includes(id));
      if (left.length === 0) await this.drop(found.entry, "removed");
      else if (left.length < before.length)
        await this.vault.change([this.put(reheaded(found, { purposes: left }))]);
    }
  }
}
