import { Account } from "../../src/account.ts";
import type { Step } from "../../src/vault.ts";

const BATCHES = "/v1/batches";

interface Today {
  day: string;
  events: number;
  bytes: number;
}

/** Counts what leaves and is taken: bytes of each batch, and both a day. */
export class Counted extends Account {
  bytes = 0;

  override async fetch(path: string, init?: RequestInit, receipt?: string): Promise<Response> {
    const answer = await super.fetch(path, init, receipt);
    const { byteLength = 0 } = (init?.body ?? {}) as Partial<ArrayBufferView>;
    if (path === BATCHES && answer.ok) this.bytes += byteLength;
    return answer;
  }

  /** What left today (UTC) and was taken. */
  async today(): Promise<Today> {
    const day = new Date().toISOString().slice(0, 10);
    const kept = (await this.vault?.get<Today>("grant", "today"))?.json;
    return kept?.day === day ? kept : { day, events: 0, bytes: 0 };
  }

  /** The step that counts this too. */
  async count(events: number, bytes: number): Promise<Step> {
    const before = await this.today();
    const json = { ...before, events: before.events + events, bytes: before.bytes + bytes };
    return { store: "grant", at: "today", json };
  }
}
