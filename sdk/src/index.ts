/**
 * Overt in a web page: records input in the open, with consent, and shows what will leave.
 *
 * ```ts
 * import { open } from "/static/overt.js";
 * const overt = await open({ study: "five-minutes" });
 * const shown = await overt.notice();          // exact bytes of the notice, and its hash
 * const receipt = await overt.join(["typing-assist"]); // the person's own choice, from a gesture
 * ```
 *
 * Before `join` succeeds (or a grant from an earlier visit is found) nothing is written to storage
 * and no input is listened to. No call here throws into an event listener of the host page.
 *
 * This is all that a page needs to ask, and to leave. What records, keeps and sends lies in a second
 * file (`record.ts`), which is loaded where somebody has joined; what shows batches to people, and the
 * names of numbers, in a third (`more.ts`), which `join` and `outbox` load when they are asked for the first time: what joins is in
 * it too.
 */

import type { OvertEvent } from "./event.ts";
import type { Words } from "./indicator.ts";
import type { EventWords } from "./words.ts";
export type { OvertEvent } from "./event.ts";

/** Where the SDK finds its study. */
export interface Options {
  /** Id of the study. */
  study: string;
  /** Origin of the Overt server, without a slash at the end; default: the page's own. */
  base?: string;
  /** Language of the notice; default `en`. */
  lang?: string;
}

/** One thing to choose, in the notice's words. */
export interface Choice {
  id: string;
  title: string;
  text: string;
}

/** The parsed notice, as far as the SDK reads it; the rest is for people to read. */
export interface Notice {
  study: string;
  version: number;
  title: string;
  /** Which way its language is written: `ltr` or `rtl`. */
  direction: string;
  /** What the indicator says in its language. */
  indicator: Words;
  /** What `describe` calls an event in its language; absent in English. */
  events?: EventWords;
  choices: {
    purposes: Choice[];
    /** How exactly is recorded: no levels where the person has no choice. */
    details: { heading: string; levels: Choice[] };
  };
  settings: {
    level: "rhythm" | "keys";
    retention_days: number;
    outbox_delay_s: number;
    hold_days: number;
    /** CSS selectors of the fields that may be recorded; after `!`, of what is excluded whole. */
    fields: string[];
    /** Pages that may be recorded, by their path, `:word` for a part that is not looked at; empty: all. */
    paths?: string[];
    /** Other sites whose pages may ask people to join. */
    origins: string[];
    /** Sites that the browser extension may record, if the person switches them on. */
    sites?: { origin: string; paths: string[]; fields: string[] }[];
  };
  [more: string]: unknown;
}

/** The notice as the server sent it: show it before asking to join. */
export interface ShownNotice {
  notice: Notice;
  bytes: Uint8Array;
  sha256: string;
}

/** The signed receipt, as JSON; the person keeps it. */
export type Receipt = Record<string, unknown>;

/** What the SDK is doing now. */
export type Phase = "none" | "recording" | "paused" | "off";

/** Why it is not recording. */
export type Reason =
  | ""
  | "person"
  | "indicator"
  | "withdrawn"
  | "notice"
  | "storage"
  | "unsupported"
  /** The file that records could not be loaded as it was built; it is tried again at the next call. */
  | "file"
  /** The study does not list this page's path; it goes on where it does. */
  | "page";

export interface State {
  /** `none`: nobody has joined here; `off`: it cannot record, `reason` says why. */
  phase: Phase;
  reason: Reason;
  study: string;
  receiptId: string;
  /** Receipts of earlier notices: what was recorded under them lies under them still. */
  former: string[];
  purposes: string[];
  level: "rhythm" | "keys" | "";
  /** The version of the level that the person chose, such as `rhythm/1`; empty while there is none. */
  transform: string;
  /** Id of the session of this page; empty while there is none. */
  session: string;
}

/** Events on this device since joining, over all sessions and tabs. */
export interface Counts {
  produced: number;
  /** In the outbox, or not yet in it. */
  waiting: number;
  removed: number;
  sent: number;
  acknowledged: number;
  stored: number;
  lost: number;
  quarantined: number;
  /** Script-made events that were ignored in this page. */
  untrusted: number;
}

/** One batch that waits on this device. */
export interface OutboxEntry {
  /** Names the entry in `remove`. */
  id: string;
  session: string;
  batch: number;
  purposes: string[];
  rows: number;
  /** Wall clock when the batch was closed, and when it may leave, ms since 1970. */
  closed_ms: number;
  due_ms: number;
  /** True once it was handed to the network at least once. */
  sent: boolean;
  /** The bytes that will leave (before compression). */
  bytes: Uint8Array;
  /** The header exactly as in `bytes`. */
  header: Record<string, unknown>;
  /** The rows of `bytes`, decoded. */
  events: OvertEvent[];
}

/** What `watch` tells of each event at the moment it is created; `describe` has words for it. */
export interface Watched {
  /** The event after de-identification: all that is kept. */
  event: OvertEvent;
  /** The stream: purposes that need it. */
  purposes: string[];
  /**
   * The browser's event it came from (null for marks). It is handed on, never kept: a page that
   * shows the person "before and after" reads it during the call.
   */
  source: Event | null;
}

/** A recording in this page. All promises reject with `OvertError` only. */
export interface Overt {
  /** Fetch the notice as it must be shown. Stores nothing. */
  notice(lang?: string): Promise<ShownNotice>;
  /**
   * Join for some of the notice's purposes; call it from the person's own gesture. `detail` is the
   * id of what they chose of `choices.details`; without it, the study's own level.
   */
  join(purposes: string[], detail?: string): Promise<Receipt>;
  /** Withdraw from all purposes, or from some. Stops and purges here at once. */
  withdraw(purposes?: string[]): Promise<{ job: string }>;
  state(): State;
  /** The stored receipt, or null. */
  receipt(): Promise<Receipt | null>;
  /** Stop until `resume`, over reloads and in all tabs. One call, no limit. */
  pause(): Promise<void>;
  /** Record again; puts the indicator back if it is gone. */
  resume(): Promise<void>;
  /** Note the number of the task the page shows now (1 to 32767). */
  task(number: number): void;
  counts(): Promise<Counts>;
  /** What waits to leave, oldest first. */
  outbox(): Promise<OutboxEntry[]>;
  /**
   * Remove entries. Those not yet `sent` never leave; one that was sent may have arrived, and is
   * deleted there with `/v1/me/delete`. Returns how many events were removed.
   */
  remove(ids: string[]): Promise<number>;
  /** Remove what waits of the last `minutes`, rounded outwards to whole entries. */
  removeSince(minutes: number): Promise<number>;
  /** Send all that waits now without the delay. Resolves when each was tried once. */
  sendNow(): Promise<void>;
  /**
   * From here on, frames of the page's own origin are recorded with it, where the study's paths list
   * the frame's own. It loads `overt-frame.js` into them from beside the SDK, as it was built.
   */
  frames(): Promise<void>;
  /** Be told of each event as it is created. Returns the function that ends it. */
  watch(callback: (watched: Watched) => void): () => void;
  /** Be told when `state()` or the outbox changed. Returns the function that ends it. */
  onChange(callback: (state: State) => void): () => void;
  /**
   * `fetch` below `base` with the person's token, refreshed when it has expired. `receipt`: one of
   * `state().former`, in place of the present one.
   */
  fetch(path: string, init?: RequestInit, receipt?: string): Promise<Response>;
}

export { OvertError } from "./errors.ts";
export { open } from "./overt.ts";
export { asksForPrivacy } from "./signal.ts";
