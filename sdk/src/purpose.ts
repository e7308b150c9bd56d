import { NEEDED } from "./generated.ts";

/**
 * The consented purposes that need an event of `kind`, sorted; marks serve all of them. They name
 * the stream (and the key) an event belongs to. None means: do not create it.
 */
export const purposesFor = (kind: number, consented: readonly string[]): string[] =>
  [...new Set(consented)].filter((id) => ((NEEDED[id] ?? 0) >> kind) & 1).sort();
