import type { Account, Grant } from "./account.ts";
import type { OvertError } from "./errors.ts";
import type { Receipt, ShownNotice } from "./index.ts";
import type { Membership } from "./membership.ts";

interface Joined {
  receipt: Receipt & { receipt_id: string };
  token: string;
  device_secret: string;
}

/** What the server grants for what a person chose of the notice that was shown. */
export async function granted(
  account: Account,
  { notice, sha256 }: ShownNotice,
  purposes: string[],
  lang: string,
  detail: string = notice.settings.level,
): Promise<Grant> {
  const asked = { study: account.study, purposes, notice_sha256: sha256, lang, detail };
  const joined = (await (await account.post("/v1/join", asked)).json()) as Joined;
  return {
    receipt_id: joined.receipt.receipt_id,
    receipt: joined.receipt,
    device_secret: joined.device_secret,
    token: joined.token,
    purposes: [...purposes].sort(),
    former: account.proofs.map(({ receipt_id, device_secret, token, purposes }) => {
      return { receipt_id, device_secret, token, purposes };
    }),
    notice_sha256: sha256,
    lang,
    words: notice.indicator,
    level: notice.settings.level,
    transform: detail.includes("/") ? detail : `${detail}/0`,
    outbox_delay_s: notice.settings.outbox_delay_s,
    hold_days: notice.settings.hold_days,
    fields: notice.settings.fields,
    paths: notice.settings.paths ?? [],
  };
}

/** Join: done once, so a page loads it then. `Told`: the error of the file that the page knows. */
export async function join(
  member: Membership,
  purposes: string[],
  detail: string | undefined,
  Told: typeof OvertError,
): Promise<Receipt> {
  const { account, off, shown, lang } = member;
  if (off === "unsupported")
    throw new Told("this browser lacks what recording needs", "browser", "Use a recent one");
  if (!shown) throw new Told("the notice was not fetched", "join", "Show what notice() returns first");
  if (purposes.length === 0) throw new Told("no purpose was chosen", "purposes", "Choose at least one");
  if (account.grant && off !== "notice")
    throw new Told("somebody has joined here already", "join", "Withdraw first");
  const recorder = await member.ready();
  await member.farewell?.();
  const grant = await granted(account, shown, purposes, lang, detail);
  if (account.grant) await recorder.endSession();
  member.reset("");
  try {
    const vault = await member.opened(true);
    if (!vault) throw new TypeError();
    member.held = false;
    member.hold(vault);
    await account.keep(grant);
    await member.start(recorder);
  } catch {
    account.grant = { ...grant, former: [] };
    await account.withdraw().catch(() => undefined);
    member.reset("");
    member.turnOff("storage");
    throw new Told("cannot be written on this device", "storage", "Leave private mode");
  }
  member.say("granted");
  return grant.receipt;
}
