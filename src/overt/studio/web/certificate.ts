/** A certificate of erasure as a document to read; the signed JSON is what counts. */

import { make } from "../../../../sdk/src/make.ts";
import { download, row } from "./dom.ts";

export interface Opening {
  n: number;
  salt: string;
  detail: Record<string, unknown>;
}

export interface Bundle {
  entries: { n: number; kind: string; study: string; day: string; commitment: string }[];
  openings: Opening[];
  [more: string]: unknown;
}

interface RebuiltModel {
  purpose: string;
  was_in_it: boolean;
  sha256_before: string | null;
  sha256_after: string | null;
  sha256_never_met: string | null;
  equal: boolean;
  certified: boolean;
}

/** `overt-certificate/1`, signed by the log's key. */
export interface Certificate {
  scope: string;
  purposes: string[];
  receipt_sha256: string;
  reached: { batches: number; events: number; sealed_bytes: number; keys: number };
  models: RebuiltModel[];
  model_equals_never_seen: boolean;
  bytes_found: number;
  searched: { needles: number; sequences: number };
  not_reached: { releases: number; backups_until: string | null };
  [more: string]: unknown;
}

/** What the server says of an erasure; `what` and `share` only while it works on it. */
export interface Erasure {
  state: string;
  steps: { name: string; title: string; done: boolean }[];
  what?: string;
  share?: number;
  error?: { what: string };
  certificate: Certificate | null;
  bundle: Bundle | null;
}

/** The step an erasure is at, in a sentence. */
export function progressOf({ steps, what }: Erasure): string {
  const place = steps.findIndex((step) => !step.done);
  const now = what ?? steps[place]?.title ?? "";
  return place < 0 ? "Done." : `Step ${place + 1} of ${steps.length}: ${now}.`;
}

function pairs(...items: [string, string][]): HTMLElement {
  return make(
    "dl",
    { class: "pairs" },
    ...items.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]),
  );
}

function short(hash: string | null): HTMLElement {
  return make("span", { class: "hash", title: hash ?? "" }, hash ? `${hash.slice(0, 20)}…` : "none left");
}

function verdict(model: RebuiltModel): HTMLElement {
  const equal = model.equal ? "equal: it never met you" : "not equal";
  const text = model.certified ? equal : `${equal}, without certificate`;
  return make("span", { class: model.equal ? "same" : "", "data-testid": "model-equal" }, text);
}

function models(made: Certificate): HTMLElement[] {
  if (made.models.length === 0)
    return [make("p", {}, "No model had been trained, so there was none to rebuild.")];
  const head = ["Model", "before", "after", "trained from scratch without you", ""];
  return [
    make(
      "div",
      { class: "scroll" },
      make(
        "table",
        {},
        make("thead", {}, make("tr", {}, ...head.map((name) => make("th", { scope: "col" }, name)))),
        make(
          "tbody",
          {},
          ...made.models.map((model) =>
            row([
              model.purpose,
              short(model.sha256_before),
              short(model.sha256_after),
              short(model.sha256_never_met),
              verdict(model),
            ]),
          ),
        ),
      ),
    ),
  ];
}

/** Show a certificate, with a button to keep it. */
export function showCertificate(place: HTMLElement, made: Certificate): void {
  const { reached, searched, not_reached } = made;
  const heading = make("h3", { id: "certificate-h" }, "Certificate of erasure");
  const keep = make(
    "button",
    { type: "button", class: "primary", "data-testid": "certificate-download" },
    "Download the certificate",
  );
  keep.addEventListener("click", () =>
    download("certificate.json", JSON.stringify(made, null, 1)),
  );
  place.replaceChildren(
    heading,
    make(
      "p",
      { class: "quiet small" },
      `For receipt with SHA-256 ${made.receipt_sha256.slice(0, 16)}…, ` +
        (made.scope === "person" ? "all purposes." : `purpose ${made.purposes.join(", ")}.`),
    ),
    make(
      "div",
      { class: "grid-2" },
      make(
        "div",
        {},
        make("h4", {}, "Reached"),
        pairs(
          ["Destroyed", `${reached.keys} keys, ${reached.batches} batches with ${reached.events} events`],
          ["Overwritten", `${reached.sealed_bytes.toLocaleString("en")} sealed bytes`],
          [
            "Searched afterwards",
            `every file, opened and decrypted, for ${searched.needles} marks and ${searched.sequences} runs of your timing: ${made.bytes_found} found`,
          ],
        ),
      ),
      make(
        "div",
        {},
        make("h4", {}, "Not reached"),
        pairs(
          ["Handed out to others", `${not_reached.releases} releases`],
          [
            "Backups",
            not_reached.backups_until
              ? `the last that holds you ends on ${not_reached.backups_until}`
              : "there are none",
          ],
        ),
      ),
    ),
    make("h4", {}, "Models"),
    ...models(made),
    make("div", { class: "actions" }, keep),
  );
  place.hidden = false;
}
