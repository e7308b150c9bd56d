/**
 * Another device of the same person: what one leaves at the server, sealed under a short-lived code,
 * the other opens with it. As `overt.device.pairing` does it, for either may be the first.
 */

import type { Account, Grant } from "../../src/account.ts";
import { OvertError } from "../../src/errors.ts";
import type { Notice } from "../../src/index.ts";
import { scrypt } from "./scrypt.ts";

const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_SYMBOLS = 12;
const NONCE_BYTES = 12;
const COST = 2 ** 15;

/** What one device hands to the other. The recovery code does not go along. */
export type Handed = Pick<
  Grant,
  | "receipt_id"
  | "receipt"
  | "device_secret"
  | "purposes"
  | "level"
  | "transform"
  | "outbox_delay_s"
  | "hold_days"
  | "notice_sha256"
  | "lang"
>;
const HANDED: readonly (keyof Handed)[] = [
  "receipt_id", "receipt", "device_secret", "purposes", "level", "transform", "outbox_delay_s",
  "hold_days", "notice_sha256", "lang",
];

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** The code in an address as a square to scan holds it; empty if there is none. */
export const codeIn = (address: string): string => address.split("#pair=")[1]?.trim() ?? "";

function newCode(): string {
  const drawn = crypto.getRandomValues(new Uint8Array(CODE_SYMBOLS));
  const symbols = [...drawn].map((byte) => SYMBOLS[byte % 32]).join("");
  return symbols.replace(/(.{4})(?=.)/g, "$1-");
}

async function placeAndKey(code: string, study: string): Promise<{ place: string; key: CryptoKey }> {
  const read: Record<string, string> = { I: "1", L: "1", O: "0" };
  const symbols = code.toUpperCase().replace(/[\s-]/g, "").replace(/[ILO]/g, (one) => read[one] ?? one);
  if (symbols.length !== CODE_SYMBOLS || [...symbols].some((one) => !SYMBOLS.includes(one)))
    throw new OvertError("has twelve letters and digits", "code", "Copy it from the other device");
  const made = await scrypt(bytes(symbols), bytes(`overt pair 1\n${study}`), COST, 8, 48);
  const place = [...made.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const key = await crypto.subtle.importKey("raw", made.slice(16), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
  return { place, key };
}

const cipher = (iv: Uint8Array<ArrayBuffer>, study: string) => ({
  name: "AES-GCM",
  iv,
  additionalData: bytes(study),
});

/** Fetch and open, once, what another device left under a code. */
export async function taken(base: string, study: string, code: string): Promise<Handed> {
  const { place, key } = await placeAndKey(code, study);
  const init = {
    method: "POST",
    credentials: "omit" as const,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ place }),
  };
  const answer = await fetch(`${base}/v1/pair`, init).catch((): null => null);
  if (!answer) throw new OvertError("cannot be reached", "server", "Look at the connection and try again");
  if (!answer.ok) throw new OvertError("no device waits with this code", "code", "Ask for another there");
  const { sealed = "" } = (await answer.json()) as { sealed?: string };
  const box = Uint8Array.from(atob(sealed), (one) => one.charCodeAt(0));
  try {
    const how = cipher(box.slice(0, NONCE_BYTES), study);
    const plain = await crypto.subtle.decrypt(how, key, box.slice(NONCE_BYTES));
    const handed = JSON.parse(new TextDecoder().decode(plain)) as Handed;
    if (HANDED.some((name) => handed[name] === undefined)) throw new Error("not whole");
    return handed;
  } catch {
    throw new OvertError("what the server handed over does not open", "code", "Ask for another there");
  }
}

/** Return the grant that was handed over, with the notice that it is of: as the server shows it now. */
export async function grantOf(handed: Handed, account: Account): Promise<{ grant: Grant; notice: Notice }> {
  const { notice, sha256 } = await account.notice(handed.lang);
  if (sha256 !== handed.notice_sha256)
    throw new OvertError("has changed since you joined", "notice", "Read it there, then pair again");
  const { sites = [], fields, paths = [] } = notice.settings;
  if (sites.length === 0) throw new OvertError("this study lists no site for the extension", "sites");
  const grant = { ...handed, token: "", former: [], words: notice.indicator, fields, paths };
  return { grant, notice };
}

/** Seal a grant under a fresh code: the code, and what to leave at the server. */
export async function sealed(
  grant: Grant,
  study: string,
): Promise<{ code: string; left: { place: string; sealed: string } }> {
  const code = newCode();
  const { place, key } = await placeAndKey(code, study);
  const { recovery_code: _own, ...receipt } = grant.receipt as Grant["receipt"] & { recovery_code?: string };
  const handed = Object.fromEntries(HANDED.map((name) => [name, name === "receipt" ? receipt : grant[name]]));
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const box = await crypto.subtle.encrypt(cipher(nonce, study), key, bytes(JSON.stringify(handed)));
  const text = [...nonce, ...new Uint8Array(box)].map((byte) => String.fromCharCode(byte)).join("");
  return { code, left: { place, sealed: btoa(text) } };
}
