/** What was recorded of a person in a study until now, under each of their receipts on this device. */

import { OvertError } from "../../src/errors.ts";
import type { Keeper } from "./keeper.ts";
import { posted } from "./pauses.ts";

const HOUR_MS = 3_600_000;

/**
 * Ask the server the same of each receipt, the present one last: what was recorded before a notice
 * changed lies under an earlier one. Null if it did not answer; an earlier one that it does not know
 * any more has nothing there.
 */
async function ofEach({ account }: Keeper, path: string, init?: RequestInit): Promise<unknown[] | null> {
  const all: unknown[] = [];
  for (const { receipt_id } of account?.proofs.reverse() ?? []) {
    const answer = await account?.fetch(path, init, receipt_id);
    const isFormer = receipt_id !== account?.grant?.receipt_id;
    if (answer?.ok) all.push(await answer.json());
    else if (!isFormer || ![401, 403, 404, 410].includes(answer?.status ?? 0)) return null;
  }
  return all.length > 0 ? all : null;
}

/** Take the last hour out of what waits here, then out of what the server has. */
export async function forgetHour(keeper: Keeper): Promise<number> {
  const since_ms = Date.now() - HOUR_MS;
  keeper.mirror.clear();
  const removed = await keeper.remove(({ closed_ms }) => closed_ms >= since_ms);
  if (!(await ofEach(keeper, "/v1/me/delete", posted({ minutes: 60 }))))
    throw new OvertError(
      "what waited here is gone; what was sent could not be deleted on the server",
      "delete",
      "Try again when it can be reached",
    );
  return removed;
}

/** All that the server has: one document, or one for each receipt. */
export async function everything(keeper: Keeper): Promise<unknown> {
  const all = await ofEach(keeper, "/v1/me/export");
  if (!all) throw new OvertError("could not be fetched", "export", "Try again later");
  return all.length > 1 ? all : all[0];
}
