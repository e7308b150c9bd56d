/** What a page's content script, the worker and the panel say to each other. */

import type { Notice, OutboxEntry } from "../../src/index.ts";
import type { Words } from "../../src/indicator.ts";
import type { Part } from "../../src/outbox.ts";
import type { ServerClock } from "./server_clock.ts";
import type { Site } from "./sites.ts";

/** What a page needs to know to record for one study. It holds no key, no token and no secret. */
export interface Permit {
  /** Address of the study, such as `https://overt.example.org/study/writing`: no other has it. */
  at: string;
  study: string;
  receipt: string;
  purposes: string[];
  level: "rhythm" | "keys";
  transform: string;
  outbox_delay_s: number;
  site: Site;
  /** Pages that the study tells apart. */
  paths: readonly string[];
  /** What the indicator says. */
  words: Words;
  /** The person has paused this study. */
  paused: boolean;
  /** What is known of the server's clock. */
  server: ServerClock | null;
}

/** What a page wants written, and repeats until the worker says that it is. */
export type Ask = {
  /** For which study. */
  at: string;
  session: string;
} & (
  | { do: "begin"; time_origin_ms: number; clock_resolution_us: number }
  | { do: "part"; part: number; streams: Part["streams"] }
  | { do: "close" }
);

/** What the page's recording is doing, for the badge. */
export type Shown = "recording" | "paused" | "blocked" | "none";

/**
 * The last words of a page that goes away: what may not be written yet. They are left in the
 * browser's memory (`storage.session`), for a worker that rests is not up in time to hear them.
 */
export interface Last {
  origin: string;
  begin: Extract<Ask, { do: "begin" }>;
  streams: Part["streams"];
}

export const LAST = "last ";

export type ToWorker =
  | { ask: Ask; n: number }
  /** Last words, where the browser's memory is not for pages. Not answered. */
  | { last: Last }
  | { shows: Shown }
  | { flushed: true }
  | { pressed: "pause" | "resume" };

export type ToPage =
  /** Studies that may record there; with none, nothing is. */
  | { permits: Permit[]; channel: string }
  /** Everything up to this number is written. */
  | { written: number }
  /** Hand over what is not closed yet; answered by asks, then by `flushed`. */
  | { flush: true };

/** Broadcast to pages whose port has fallen silent. */
export type Call = { call: "look" } | { call: "sessions" } | { call: "channel" };

/** What the panel asks of the worker about one study. */
export type OfStudy =
  | { do: "pause" | "resume" | "leave" | "send" | "outbox" | "mirror" | "forgetHour" | "receipt" | "export" | "offer" }
  | { do: "remove"; id: string }
  | { do: "withdraw"; purpose: string }
  | { do: "enable" | "disable"; origin: string };

/** What the panel asks of the worker. */
export type Command =
  | { do: "view" | "pauseAll" }
  | { do: "notice"; address: string; lang: string }
  | { do: "join"; purposes: string[]; detail?: string }
  /** Take part as on another device, whose code this is. */
  | { do: "pair"; code: string }
  /** Without the study's address it is about the only one there is. */
  | (OfStudy & { at?: string });

/** A site as the panel shows it. */
export interface SiteView {
  origin: string;
  paths: readonly string[];
  fields: readonly string[];
  /** `on`: recorded; `off`: the person has not switched it on; `policy`: the policy forbids it. */
  state: "on" | "off" | "policy";
}

/** One study that the person takes part in, as the panel shows it. */
export interface Joined {
  /** Its address. */
  at: string;
  title: string;
  purposes: { id: string; title: string }[];
  level: string;
  outbox_delay_s: number;
  sites: SiteView[];
  paused: boolean;
  /** The notice has changed: nothing is recorded until the person has chosen again. */
  stale: boolean;
  /** The person has left; the server does not know yet. */
  leaving: boolean;
  offline: boolean;
  today: { events: number; bytes: number };
  waiting: number;
  lost: number;
}

/** Everything the panel shows. */
export interface View {
  studies: Joined[];
  /** The managed policy exactly as the browser gives it; null: there is none. */
  policy: Record<string, unknown> | null;
}

/** The latest events of a study, newest first: `times` of the kind in a row, and the last of them. */
export type MirrorView = { at_ms: number; text: string; times: number }[];

export interface ShownNotice {
  server: string;
  notice: Notice;
  sha256: string;
}

/** What waits, newest first; purposes by their titles in the notice. */
export type OutboxView = (Pick<
  OutboxEntry,
  "id" | "rows" | "closed_ms" | "due_ms" | "sent" | "purposes"
> & { bytes: number; events: { t_us: number; text: string }[] })[];

export type Answer<T> = { value: T } | { error: string };
