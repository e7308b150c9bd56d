import { OvertError } from "./errors.ts";
import type { Notice, Receipt, ShownNotice } from "./index.ts";
import type { Vault } from "./vault.ts";

/** What a person granted on this device, kept sealed. */
export interface Grant {
  receipt_id: string;
  receipt: Receipt;
  device_secret: string;
  token: string;
  purposes: string[];
  notice_sha256: string;
  lang: string;
  level: "rhythm" | "keys";
  outbox_delay_s: number;
  hold_days: number;
  fields: string[];
}

/** What the server says of the person now. */
export interface Standing {
  purposes?: string[];
  withdrawn?: boolean;
}

interface Joined {
  receipt: Receipt & { receipt_id: string };
  token: string;
  device_secret: string;
}

const PATIENCE_MS = 20_000;
export const GONE = 410;

const hex = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The person's dealings with the server: notice, joining, token, withdrawal. */
export class Account {
  grant: Grant | null = null;
  vault: Vault | null = null;
  #base: string;
  #study: string;

  constructor(base: string, study: string) {
    this.#base = base;
    this.#study = study;
  }

  async notice(lang: string): Promise<ShownNotice> {
    const study = encodeURIComponent(this.#study);
    const path = `/v1/studies/${study}/notice?lang=${encodeURIComponent(lang)}`;
    const bytes = new Uint8Array(await (await this.#ask(path)).arrayBuffer());
    const sha256 = hex(await crypto.subtle.digest("SHA-256", bytes));
    const notice = JSON.parse(new TextDecoder().decode(bytes)) as Notice;
    return { notice, bytes, sha256 };
  }

  async join({ notice, sha256 }: ShownNotice, purposes: string[], lang: string): Promise<Grant> {
    const asked = { study: this.#study, purposes, notice_sha256: sha256, lang };
    const joined = (await (await this.#post("/v1/join", asked)).json()) as Joined;
    return {
      receipt_id: joined.receipt.receipt_id,
      receipt: joined.receipt,
      device_secret: joined.device_secret,
      token: joined.token,
      purposes: [...purposes].sort(),
      notice_sha256: sha256,
      lang,
      level: notice.settings.level,
      outbox_delay_s: notice.settings.outbox_delay_s,
      hold_days: notice.settings.hold_days,
      fields: notice.settings.fields,
    };
  }

  /** Keep the grant, sealed. */
  async keep(grant: Grant): Promise<void> {
    await this.vault?.change([{ store: "grant", at: "grant", json: grant }]);
    this.grant = grant;
  }

  async withdraw(purposes?: string[]): Promise<{ job: string }> {
    const { receipt_id, device_secret } = this.#granted();
    const asked = { receipt_id, device_secret, ...(purposes ? { purposes } : {}) };
    return (await (await this.#post("/v1/withdraw", asked)).json()) as { job: string };
  }

  /** What the server says of this receipt; a status of 410 is told as withdrawn. */
  async standing(): Promise<Standing> {
    const answer = await this.fetch("/v1/me/state", { cache: "no-store" });
    if (answer.status === GONE) return { withdrawn: true };
    return answer.ok ? ((await answer.json()) as Standing) : {};
  }

  /** `fetch` with the token; a refused token is refreshed once. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await this.send(path, init);
    if (answer.status !== 401) return answer;
    const { receipt_id, device_secret } = this.#granted();
    const fresh = await this.#raw("/v1/token", json({ receipt_id, device_secret }));
    if (!fresh.ok) return fresh;
    const { token } = (await fresh.json()) as { token: string };
    if (this.grant) await this.keep({ ...this.grant, token });
    return this.send(path, init);
  }

  /** One request with the token as it is; this one may outlive the page. */
  send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("Authorization", `Bearer ${this.#granted().token}`);
    return this.#raw(path, { ...init, headers });
  }

  #granted(): Grant {
    if (!this.grant) throw new OvertError("nobody has joined here", "receipt", "Join first");
    return this.grant;
  }

  async #raw(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.#base + path, {
        credentials: "omit",
        ...(init.keepalive ? {} : { signal: AbortSignal.timeout(PATIENCE_MS) }),
        ...init,
      });
    } catch {
      throw new OvertError("cannot be reached", "server", "Look at the connection and try again");
    }
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await this.#raw(path, { cache: "no-store", ...init });
    if (answer.ok) return answer;
    const body = (await answer.json().catch(() => null)) as { error?: Partial<OvertError> } | null;
    const { what = `the server answered ${answer.status}`, where = "" } = body?.error ?? {};
    throw new OvertError(what, where, body?.error?.do ?? "", answer.status);
  }

  #post(path: string, body: unknown): Promise<Response> {
    return this.#ask(path, json(body));
  }
}

const json = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});
