/** Step 6: what the log says about this person, and the certificate after leaving. */

import type { Overt } from "../../../../sdk/src/index.ts";
import { make } from "../../../../sdk/src/make.ts";
import { answer, follow } from "./api.ts";
import { type Bundle, type Erasure, progressOf, showCertificate } from "./certificate.ts";
import { at, busy, byTest, download, row, say } from "./dom.ts";

const WORDS: Record<string, string> = {
  consent: "You consented",
  withdrawal: "You withdrew",
  read: "Your data was read",
  refusal: "A read was refused",
  training: "A model was trained",
  erasure: "You were erased",
  retention: "Data expired",
};

/** The detail of an entry in words, without ids and hashes. */
function detail(opened: Record<string, unknown>): string {
  return Object.entries(opened)
    .filter(([name]) => !/sha256|receipt|^event$/.test(name))
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(", ") : String(value)}`)
    .join(" · ");
}

/** Entries about the whole study: they name nobody, and everyone's bundle opens them. */
function isAboutAll({ detail }: Bundle["openings"][number]): boolean {
  return "people" in detail || /^(refusal|import|training|audit|release)$/.test(String(detail.event));
}

function showEntries(bundle: Bundle): void {
  const own = bundle.openings.filter((opening) => !isAboutAll(opening));
  at("proof-body").replaceChildren(
    ...own.map((opening) => {
      const entry = bundle.entries[opening.n];
      const hash = make("span", { class: "hash", title: entry?.commitment ?? "" });
      hash.textContent = `${entry?.commitment.slice(0, 16) ?? ""}…`;
      return row([
        opening.n,
        entry?.day ?? "",
        WORDS[entry?.kind ?? ""] ?? entry?.kind ?? "",
        detail(opening.detail),
        hash,
      ]);
    }),
  );
  const others = bundle.openings.length - own.length;
  at("proof-caption").textContent =
    `${own.length} of the log’s ${bundle.entries.length} entries are about you; you hold the salts that open them.` +
    (others ? ` The file also opens ${others} about the study as a whole, which its page shows.` : "");
  at("proof-table").hidden = false;
  at("proof-none").hidden = true;
}

export interface Proof {
  refresh(): void;
  /** Follow a withdrawal to its end. */
  follow(job: string, all: boolean): Promise<void>;
}

export function startProof(overt: Overt): Proof {
  const load = byTest<HTMLButtonElement>("proof-load");
  const save = byTest<HTMLButtonElement>("bundle-download");
  let bundle: Bundle | null = null;
  load.addEventListener("click", () =>
    busy(load, async () => {
      bundle = await answer<Bundle>(await overt.fetch("/v1/me/proof"));
      showEntries(bundle);
      save.disabled = false;
    }),
  );
  save.addEventListener("click", () => {
    if (bundle) download("bundle.json", JSON.stringify(bundle, null, 1));
  });
  return {
    refresh() {
      const joined = overt.state().receiptId !== "";
      if (!load.hasAttribute("aria-busy")) load.disabled = !joined;
      if (!bundle)
        at("proof-none").textContent = joined
          ? "Press the button to fetch and open them."
          : "You have not joined, so there is no entry about you.";
    },
    async follow(job, all) {
      const status = at("erasure-status");
      const bar = at<HTMLProgressElement>("erasure-progress");
      status.hidden = bar.hidden = false;
      status.className = "hint wait";
      at("proof").scrollIntoView();
      try {
        const done = await follow<Erasure>(`/v1/erasures/${job}`, (seen) => {
          status.textContent = `Erasing. ${progressOf(seen)}`;
          bar.value = seen.steps.filter((step) => step.done).length / seen.steps.length;
        });
        if (done.state === "failed") throw new Error(done.error?.what ?? "The erasure stopped");
        status.className = "hint good";
        status.textContent = all
          ? "You are out. The certificate below says what was reached and what was not."
          : "That purpose is withdrawn, and what only it needed is erased.";
        if (done.bundle) {
          bundle = done.bundle;
          showEntries(bundle);
          save.disabled = false;
        }
        if (done.certificate) showCertificate(at("certificate"), done.certificate);
        say(status.textContent);
      } catch (error) {
        status.className = "hint bad";
        status.textContent = `${error instanceof Error ? error.message : "It stopped"}. It goes on by itself when the server is back; your key is gone already.`;
      } finally {
        bar.hidden = true;
      }
    },
  };
}
