import { MARKS, PURPOSES } from "./generated.ts";

/**
 * The consented purposes that need an event of `kind`, sorted; marks serve all of them. They name
 * the stream (and the key) an event belongs to. None means: do not create it.
 */
export function purposesFor(kind: number, consented: readonly string[]): string[] {
  return [...new Set(consented)]
    .filter((id) => Object.hasOwn(PURPOSES, id))
    .filter((id) => MARKS.includes(kind) || PURPOSES[id]?.includes(kind))
    .sort();
}
