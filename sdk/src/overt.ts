import { OvertError } from "./errors.ts";
import type { Counts, Options, Overt } from "./index.ts";
import { Membership } from "./membership.ts";
import { frameFile, more } from "./second.ts";

const COUNTS: Counts = {
  produced: 0,
  waiting: 0,
  removed: 0,
  sent: 0,
  acknowledged: 0,
  stored: 0,
  lost: 0,
  quarantined: 0,
  untrusted: 0,
};

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
  const { account } = member;
  try {
    await member.begin();
  } catch {
    member.turnOff("unsupported");
  }
  /** Of who has joined; rejects where the file that records cannot be had. */
  const rounds = async () => (await member.started())?.rounds;
  const overt: Overt = {
    notice: (lang) => member.notice(lang),
    join: (purposes, detail) => member.join(purposes, detail),
    withdraw: (purposes) => member.withdraw(purposes),
    state: () => member.state(),
    receipt: async () => account.grant?.receipt ?? null,
    pause: () => member.pause(),
    resume: () => member.resume(),
    task: (number) => member.recorder?.task(number),
    counts: async () =>
      (await rounds())?.counts() ?? { ...COUNTS, untrusted: member.recorder?.ignored ?? 0 },
    async outbox() {
      const found = await rounds();
      return found ? (await more()).list(found.outbox) : [];
    },
    remove: async (ids) => (await rounds())?.remove(ids) ?? 0,
    async removeSince(minutes) {
      const found = await rounds();
      await member.recorder?.flush(0);
      const since_ms = Date.now() - minutes * 60_000;
      return found?.remove([], since_ms) ?? 0;
    },
    async sendNow() {
      const found = await rounds();
      await member.recorder?.flush(0);
      await found?.send(true);
    },
    frames: async () => (await more()).frames(member, frameFile()),
    watch: (callback) => member.watch(callback),
    onChange: (callback) => member.listeners.join(callback),
    fetch: (path, init, receipt) => account.fetch(path, init, receipt),
  };
  for (const [name, call] of Object.entries(overt) as [string, Call][])
    (overt as unknown as Record<string, Call>)[name] = (...all) => strict(call(...all));
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
