import type { Counts, Options, OutboxEntry, Overt } from "./index.ts";
import { type Entry, type Outbox, entryId } from "./outbox.ts";
import { Recorder } from "./recorder.ts";
import { decode } from "./wire.ts";

async function list(outbox: Outbox): Promise<OutboxEntry[]> {
  const found: OutboxEntry[] = [];
  for (const at of await outbox.places()) {
    const kept = await outbox.entry(at);
    if (!kept) continue;
    const { entry, bytes } = kept;
    const { header, events } = decode(bytes);
    found.push({ ...entry, id: entryId(entry), bytes, header: { ...header }, events });
  }
  return found.sort((a, b) => a.closed_ms - b.closed_ms || a.batch - b.batch);
}

async function counts(recorder: Recorder): Promise<Counts> {
  const none = { produced: 0, removed: 0, sent: 0, acknowledged: 0, stored: 0, lost: 0 };
  const open = recorder.session?.open ?? 0;
  const all = { ...none, quarantined: 0, ...(await recorder.outbox?.ledger.counts()) };
  const produced = all.produced + open;
  const ended = all.removed + all.acknowledged + all.lost + all.quarantined;
  return { ...all, produced, waiting: produced - ended, untrusted: recorder.ignored };
}

async function remove(recorder: Recorder, which: (entry: Entry) => boolean): Promise<number> {
  const { outbox, sender, session } = recorder;
  if (!outbox || !sender) return 0;
  const removed = await sender.alone(async () => {
    let rows = 0;
    const ids: string[] = [];
    for (const at of await outbox.places()) {
      const kept = await outbox.entry(at);
      if (!kept || !which(kept.entry)) continue;
      ids.push(entryId(kept.entry));
      session?.kept.delete(entryId(kept.entry));
      rows += await outbox.drop(kept.entry, "removed");
    }
    recorder.say("changed", ...ids);
    return rows;
  });
  recorder.tell();
  return removed;
}

/** Find the grant of an earlier visit and go on with it, or wait for `join`. Never rejects. */
export async function open(options: Options): Promise<Overt> {
  const recorder = new Recorder(options);
  await recorder.begin();
  return {
    notice: (lang) => recorder.notice(lang),
    join: (purposes, detail) => recorder.join(purposes, detail),
    withdraw: (purposes) => recorder.withdraw(purposes),
    state: () => recorder.state(),
    receipt: async () => recorder.account.grant?.receipt ?? null,
    pause: () => recorder.pause(),
    resume: () => recorder.resume(),
    task: (number) => recorder.task(number),
    counts: () => counts(recorder),
    outbox: async () => (recorder.outbox ? list(recorder.outbox) : []),
    remove: (ids) => remove(recorder, (entry) => ids.includes(entryId(entry))),
    async removeSince(minutes) {
      await recorder.session?.flush(0);
      const since_ms = Date.now() - minutes * 60_000;
      return remove(recorder, (entry) => entry.closed_ms >= since_ms);
    },
    async sendNow() {
      await recorder.session?.flush(0);
      await recorder.send(true);
    },
    watch: (callback) => recorder.watchers.join(callback),
    onChange: (callback) => recorder.listeners.join(callback),
    fetch: (path, init) => recorder.account.fetch(path, init),
  };
}
