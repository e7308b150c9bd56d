/** Where and for what somebody takes part, in the words of the notice they read. */

import type { Notice } from "../../src/index.ts";
import type { ShownNotice } from "./protocol.ts";
import type { Site } from "./sites.ts";

/** A notice as it was shown, and where it is from. */
export interface Read {
  base: string;
  study: string;
  lang: string;
  shown: ShownNotice;
}

export const addressOf = (base: string, study: string): string => `${base}/study/${study}`;

/** Where somebody takes part, beside their grant. */
export interface Place {
  base: string;
  study: string;
  title: string;
  purposes: { id: string; title: string }[];
  /** What mirror and outbox call an event; absent in English. */
  events?: Notice["events"];
  /** How exactly, in the notice's words; empty where there was no choice. */
  detail: string;
  sites: Site[];
  /** Origins that the person switched on. */
  on: string[];
}
