import type { OutboxEntry } from "./index.ts";
import type { Entry, Outbox } from "./outbox.ts";
import { decode } from "./read.ts";
import { anchors, encode } from "./wire.ts";

/** What waits to leave, opened, oldest first. */
export async function list(outbox: Outbox): Promise<OutboxEntry[]> {
  const found: OutboxEntry[] = [];
  for (const at of await outbox.places()) {
    const kept = await outbox.entry(at);
    if (!kept) continue;
    const { entry, bytes } = kept;
    const { header, events } = decode(bytes);
    const id = `${entry.session}/${entry.batch}`;
    found.push({ ...entry, id, bytes, header: { ...header }, events });
  }
  return found.sort((a, b) => a.closed_ms - b.closed_ms || a.batch - b.batch);
}

/** Make two entries of one. The first half keeps the number, which the collector has refused. */
export async function split(outbox: Outbox, entry: Entry, bytes: Uint8Array): Promise<void> {
  const { header, events } = decode(bytes);
  const middle = events.length >> 1;
  const number = await outbox.vault.number(entry.session, 1);
  const halves = [
    { batch: entry.batch, part: events.slice(0, middle), end: false },
    { batch: number, part: events.slice(middle), end: header.end },
  ];
  await outbox.vault.change(
    halves.map(({ batch, part, end }) =>
      outbox.put(
        { ...entry, batch, rows: part.length, end },
        encode({ ...header, batch, end, ...anchors(part) }, part),
      ),
    ),
  );
}
