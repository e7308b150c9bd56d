import { OvertError } from "./errors.ts";
import type { Words } from "./indicator.ts";
import type { Notice, Receipt, ShownNotice } from "./index.ts";
import type { Vault } from "./vault.ts";

/** What shows the server that this device belongs to a receipt. */
export interface Proof {
  receipt_id: string;
  device_secret: string;
  token: string;
  /** What was consented to and not withdrawn. */
  purposes: string[];
}

/** What a person granted on this device, kept sealed. */
export interface Grant extends Proof {
  receipt: Receipt;
  /** Receipts of earlier notices: what was recorded under them still goes under them. */
  former: Proof[];
  notice_sha256: string;
  lang: string;
  /** What the indicator says in that language. */
  words: Words;
  level: "rhythm" | "keys";
  /** The versioned rule that makes the level, such as `rhythm/0`. */
  transform: string;
  outbox_delay_s: number;
  hold_days: number;
  fields: string[];
  paths?: string[];
}

/** What the server says of the person now. */
export interface Standing {
  purposes?: string[];
  withdrawn?: boolean;
}

export const PATIENCE_MS = 20_000;
export const GONE = 410;

const hex = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The person's dealings with the server: notice, joining, token, withdrawal. */
export class Account {
  grant: Grant | null = null;
  vault: Vault | null = null;
  #base: string;
  readonly study: string;

  constructor(base: string, study: string) {
    this.#base = base;
    this.study = study;
  }

  async notice(lang: string): Promise<ShownNotice> {
    const study = encodeURIComponent(this.study);
    const path = `/v1/studies/${study}/notice?lang=${encodeURIComponent(lang)}`;
    const bytes = new Uint8Array(await (await this.#ask(path)).arrayBuffer());
    const sha256 = hex(await crypto.subtle.digest("SHA-256", bytes));
    const notice = JSON.parse(new TextDecoder().decode(bytes)) as Notice;
    return { notice, bytes, sha256 };
  }

  /** Keep the grant, sealed. */
  async keep(grant: Grant): Promise<void> {
    await this.vault?.change([{ store: "grant", at: "grant", json: grant }]);
    this.grant = grant;
  }

  /** The receipts of this device: the present one, then those of earlier notices. */
  get proofs(): Proof[] {
    return this.grant ? [this.grant, ...this.grant.former] : [];
  }

  /** Withdraw all receipts of a grant, or these purposes of them; the job of the present one. */
  async withdraw(purposes?: string[], grant = this.grant): Promise<{ job: string }> {
    for (const proof of grant?.former ?? []) {
      const left = proof.purposes.filter((id) => purposes?.includes(id) ?? true);
      // An earlier receipt that the server does not know any more must not keep anyone from leaving.
      if (left.length > 0) await this.#withdraw(proof, purposes && left).catch(unlessRefused);
    }
    return this.#withdraw(grant ?? this.#proof(""), purposes);
  }

  async #withdraw({ receipt_id, device_secret }: Proof, purposes?: string[]) {
    const asked = { receipt_id, device_secret, ...(purposes ? { purposes } : {}) };
    return (await (await this.post("/v1/withdraw", asked)).json()) as { job: string };
  }

  /**
   * What the server says of this receipt; a status of 410 is told as withdrawn. `known`: purposes
   * that are known of; as long as there are these, the server may take its time.
   */
  async standing(known: readonly string[] = [], init: RequestInit = {}): Promise<Standing> {
    const path = `/v1/me/state${known.length > 0 ? `?known=${known.join()}` : ""}`;
    const answer = await this.fetch(path, { cache: "no-store", ...init });
    if (answer.status === GONE) return { withdrawn: true };
    return answer.ok ? ((await answer.json()) as Standing) : {};
  }

  /** `fetch` with the token of a receipt; a refused token is refreshed once. */
  async fetch(path: string, init: RequestInit = {}, receipt?: string): Promise<Response> {
    const answer = await this.send(path, init, receipt);
    if (answer.status !== 401) return answer;
    const { receipt_id, device_secret } = this.#proof(receipt);
    const fresh = await this.#raw("/v1/token", json({ receipt_id, device_secret }));
    if (!fresh.ok) return fresh;
    const { token } = (await fresh.json()) as { token: string };
    const renewed = <T extends Proof>(proof: T): T =>
      proof.receipt_id === receipt_id ? { ...proof, token } : proof;
    const { grant } = this;
    if (grant) await this.keep({ ...renewed(grant), former: grant.former.map(renewed) });
    return this.send(path, init, receipt);
  }

  /** One request with the token as it is; this one may outlive the page. */
  send(path: string, init: RequestInit = {}, receipt?: string): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("Authorization", `Bearer ${this.#proof(receipt).token}`);
    return this.#raw(path, { ...init, headers });
  }

  /** The proof for a receipt; without one, for the present receipt. */
  #proof(receipt = this.grant?.receipt_id): Proof {
    const proof = this.proofs.find(({ receipt_id }) => receipt_id === receipt);
    if (!proof) throw new OvertError("nobody has joined here", "receipt", "Join first");
    return proof;
  }

  async #raw(path: string, init: RequestInit): Promise<Response> {
    try {
      const answer = await fetch(this.#base + path, {
        credentials: "omit",
        // The page's own address says what somebody reads: the collector hears the site alone.
        referrerPolicy: "origin",
        ...(init.keepalive ? {} : { signal: AbortSignal.timeout(PATIENCE_MS) }),
        ...init,
      });
      if (answer.status > 0) return answer;
    } catch {
      // Told below, as what comes of a fetch that the page has replaced.
    }
    throw new OvertError("cannot be reached", "server", "Look at the connection and try again");
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await this.#raw(path, { cache: "no-store", ...init });
    if (answer.ok) return answer;
    const body = (await answer.json().catch(() => null)) as { error?: Partial<OvertError> } | null;
    const { what = `the server answered ${answer.status}`, where = "" } = body?.error ?? {};
    // What a network in between answers is not the server's word: then it was not reached.
    throw new OvertError(what, where, body?.error?.do ?? "", body?.error ? answer.status : 0);
  }

  /** Post as nobody in particular; what is refused is told. */
  post(path: string, body: unknown): Promise<Response> {
    return this.#ask(path, json(body));
  }
}

function unlessRefused(error: unknown): void {
  const refused = error instanceof OvertError && error.status >= 400 && error.status < 500;
  if (!refused) throw error;
}

const json = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});
