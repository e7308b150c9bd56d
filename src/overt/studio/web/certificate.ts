/** A certificate of erasure as a document to read; the signed JSON is what counts. */

import { download, make } from "./dom.ts";

export interface Opening {
  n: number;
  salt: string;
  detail: Record<string, unknown>;
}

export interface Bundle {
  entries: { n: number; kind: string; study: string; day: string; commitment: string }[];
  openings: Opening[];
  certificate?: Certificate;
  [more: string]: unknown;
}

export type Certificate = Record<string, unknown>;

/** What the server says of an erasure. */
export interface Erasure {
  state: string;
  what: string;
  share: number;
  error?: { what: string };
  result?: { certificate: Certificate; bundle?: Bundle };
}

export function certificate(place: HTMLElement, made: Certificate): void {
  place.replaceChildren(make("pre", {}, JSON.stringify(made, null, 1)));
  place.hidden = false;
  void download;
}
