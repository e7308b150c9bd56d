import type { Step, Vault } from "./vault.ts";

/** What is counted on the device. */
export const COUNTED = [
  "produced",
  "removed",
  "sent",
  "acknowledged",
  "stored",
  "lost",
  "quarantined",
] as const;
export type Tally = Partial<Record<(typeof COUNTED)[number], number>>;

const FOLD_AT = 32;
type Sums = Record<string, Tally>;

function add(into: Tally, more: Tally): void {
  for (const name of COUNTED) {
    const sum = (into[name] ?? 0) + (more[name] ?? 0);
    if (sum) into[name] = sum;
  }
}

/**
 * Counts as facts that are only ever added, each in the same transaction as what it counts: an
 * event is counted as acknowledged exactly when it leaves the outbox, in whichever tab.
 */
export class Ledger {
  #vault: Vault;
  /** Facts that were opened before: they never change. */
  #known = new Map<string, Sums>();
  /** Facts of this page since then. */
  #added = 0;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** The step that adds a fact of a session. */
  fact(session: string, tally: Tally): Step {
    this.#added += 1;
    return { store: "facts", at: crypto.randomUUID(), json: { [session]: tally } };
  }

  async #sums(): Promise<{ sums: Sums; places: Step[] }> {
    const sums: Sums = {};
    const known = new Map<string, Sums>();
    const found = (await this.#vault.places("facts")) as string[];
    const fresh = found.filter((at) => !this.#known.has(at));
    const opened = await this.#vault.some<Sums>("facts", fresh);
    for (const at of found) {
      const json = this.#known.get(at) ?? opened[fresh.indexOf(at)]?.json;
      if (!json) continue;
      known.set(at, json);
      for (const [session, tally] of Object.entries(json)) add((sums[session] ??= {}), tally);
    }
    this.#known = known;
    this.#added = 0;
    return { sums, places: [...known.keys()].map((at) => ({ store: "facts", at })) };
  }

  /** Whether there are so many facts, as far as this page knows, that they should be one. */
  get isLong(): boolean {
    return this.#known.size + this.#added >= FOLD_AT;
  }

  /** Counts of one session, or of all. */
  async counts(session?: string): Promise<Required<Tally>> {
    const { sums } = await this.#sums();
    const total: Tally = {};
    for (const [name, tally] of Object.entries(sums))
      if (session === undefined || session === name) add(total, tally);
    return Object.fromEntries(COUNTED.map((n) => [n, total[n] ?? 0])) as Required<Tally>;
  }

  /**
   * Write facts as one, where they are many; sessions that are not open any more become one sum.
   * Only the holder of the sending lock may do this.
   */
  async fold(openNow: () => Promise<ReadonlySet<string>>): Promise<void> {
    if (!this.isLong) return;
    const open = await openNow();
    const { sums, places } = await this.#sums();
    const folded: Sums = {};
    for (const [session, tally] of Object.entries(sums))
      add((folded[open.has(session) ? session : ""] ??= {}), tally);
    const at = crypto.randomUUID();
    await this.#vault.change([...places, { store: "facts", at, json: folded }]);
    this.#known = new Map([[at, folded]]);
    this.#added = 0;
  }
}
