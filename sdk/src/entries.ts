import { anchors } from "./batch.ts";
import { type Row, fromRow } from "./event.ts";
import type { OutboxEntry } from "./index.ts";
import { type Kept, type Outbox, entryId } from "./outbox.ts";
import { encode } from "./wire.ts";

/** What waits to leave, opened, oldest first. */
export async function list(outbox: Outbox): Promise<OutboxEntry[]> {
  const found: OutboxEntry[] = [];
  for (const at of await outbox.places()) {
    const kept = await outbox.entry(at);
    if (!kept) continue;
    const { header, ...rest } = kept.entry;
    const { session, batch, purposes, rows } = header;
    const events = kept.rows.map(fromRow);
    const told = { session, batch, purposes: [...purposes], rows, ...rest };
    found.push({
      ...told,
      id: entryId(kept.entry),
      bytes: encode(header, events),
      header: { ...header },
      events,
    });
  }
  return found.sort((a, b) => a.closed_ms - b.closed_ms || a.batch - b.batch);
}

/** Make two entries of one. The first half keeps the number, which the collector has refused. */
export async function split(outbox: Outbox, { entry, rows }: Kept): Promise<void> {
  const { header } = entry;
  const middle = rows.length >> 1;
  const batch = await outbox.vault.number(header.session, 1);
  const half = (part: Row[], changed: Partial<typeof header>) =>
    outbox.put({
      entry: { ...entry, header: { ...header, ...anchors(part), ...changed } },
      rows: part,
    });
  await outbox.vault.change([
    half(rows.slice(0, middle), { end: false }),
    half(rows.slice(middle), { batch }),
  ]);
}
