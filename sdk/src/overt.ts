import { OvertError } from "./errors.ts";
import type { Counts, Options, Overt } from "./index.ts";
import { Membership } from "./membership.ts";
import { type Entry, entryId } from "./outbox.ts";
import { frameFile, more } from "./second.ts";

async function counts({ recorder, outbox }: Membership): Promise<Counts> {
  const none = { produced: 0, removed: 0, sent: 0, acknowledged: 0, stored: 0, lost: 0 };
  const open = recorder.session?.open ?? 0;
  const all = { ...none, quarantined: 0, ...(await outbox?.ledger.counts()) };
  const produced = all.produced + open;
  const ended = all.removed + all.acknowledged + all.lost + all.quarantined;
  return { ...all, produced, waiting: produced - ended, untrusted: recorder.ignored };
}

async function remove(member: Membership, which: (entry: Entry) => boolean): Promise<number> {
  const { outbox, sender, recorder } = member;
  if (!outbox || !sender) return 0;
  const ids: string[] = [];
  const removed = await sender.alone(async () => {
    let rows = 0;
    for (const at of await outbox.places()) {
      const kept = await outbox.entry(at);
      if (!kept || !which(kept.entry)) continue;
      const id = entryId(kept.entry);
      ids.push(id);
      recorder.session?.kept.delete(id);
      rows += await outbox.drop(kept.entry, "removed");
    }
    member.say("changed", ...ids);
    return rows;
  });
  recorder.tell();
  return removed;
}

/** What is open in this page, by study: also by another copy of the SDK. */
const OPEN = Symbol.for("overt");

/**
 * Find the grant of an earlier visit and go on with it, or wait for `join`. Never rejects. A study is
 * open once in a page, with one sign and one session: who opens it again gets the same.
 */
export function open(options: Options): Promise<Overt> {
  const page = window as { [OPEN]?: Map<string, Promise<Overt>> };
  const all = (page[OPEN] ??= new Map());
  const { study } = options;
  const opened = all.get(study) ?? begun(options);
  all.set(study, opened);
  return opened;
}

async function begun(options: Options): Promise<Overt> {
  const member = new Membership(options);
  const { recorder, account } = member;
  try {
    await member.begin();
  } catch {
    recorder.turnOff("unsupported");
  }
  const overt: Overt = {
    notice: (lang) => member.notice(lang),
    join: (purposes, detail) => member.join(purposes, detail),
    withdraw: (purposes) => member.withdraw(purposes),
    state: () => recorder.state(),
    receipt: async () => account.grant?.receipt ?? null,
    pause: () => member.pause(),
    resume: () => member.resume(),
    task: (number) => recorder.task(number),
    counts: () => counts(member),
    async outbox() {
      const { outbox } = member;
      return outbox ? (await more()).list(outbox) : [];
    },
    remove: (ids) => remove(member, (entry) => ids.includes(entryId(entry))),
    async removeSince(minutes) {
      await recorder.flush(0);
      const since_ms = Date.now() - minutes * 60_000;
      return remove(member, (entry) => entry.closed_ms >= since_ms);
    },
    async sendNow() {
      await recorder.flush(0);
      await member.send(true);
    },
    frames: async () => (await more()).frames(recorder, account, frameFile()),
    watch: (callback) => recorder.watchers.join(callback),
    onChange: (callback) => recorder.listeners.join(callback),
    fetch: (path, init) => account.fetch(path, init),
  };
  for (const [name, call] of Object.entries(overt) as [string, Call][])
    Object.assign(overt, { [name]: (...all: unknown[]) => strict(call(...all)) });
  return overt;
}

type Call = (...all: unknown[]) => unknown;

/** Whatever breaks a promise, such as an answer that is none, is told as an `OvertError`. */
function strict(told: unknown): unknown {
  if (!(told as Promise<unknown> | undefined)?.then) return told;
  return (async () => {
    try {
      return await told;
    } catch (error) {
      if (error instanceof OvertError) throw error;
      throw new OvertError("something it needs of the page or the server is not as it should be");
    }
  })();
}
