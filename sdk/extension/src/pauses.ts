/** Pauses of one person on all their devices: each goes on by itself. */

import type { Account } from "../../src/account.ts";

/** How often a person paused on any device since the server began, which `run` names. */
interface Told {
  pauses?: { run: string; count: number } | null;
}

export const posted = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

export class Pauses {
  #last: Told["pauses"] = null;

  /** Tell the person's other devices of a pause here, if the server can be reached. */
  async tell(account: Account | null): Promise<void> {
    const answer = await account?.fetch("/v1/me/pause", posted({})).catch((): null => null);
    if (answer?.ok) this.#last = ((await answer.json()) as Told).pauses ?? null;
  }

  /** Whether, by how the person stands, another device has paused since we last heard. */
  heard(standing: object): boolean {
    const before = this.#last;
    const now = (standing as Told).pauses ?? null;
    this.#last = now;
    return now !== null && now.run === before?.run && now.count > before.count;
  }
}
