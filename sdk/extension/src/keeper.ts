import { GONE, type Grant, type Proof, type Standing as Known } from "../../src/account.ts";
import { OvertError } from "../../src/errors.ts";
import type { Notice } from "../../src/index.ts";
import { granted } from "../../src/joining.ts";
import { Vault } from "../../src/vault.ts";
import { Counted } from "./counted.ts";
import { Mirror } from "./mirror.ts";
import { grantOf, sealed, taken } from "./pairing.ts";
import { Pauses, posted } from "./pauses.ts";
import { type Place, type Read, addressOf } from "./place.ts";
import type { Permit } from "./protocol.ts";
import { type ServerClock, better, isFresh } from "./server_clock.ts";
import type { Site } from "./sites.ts";
import { Waiting } from "./waiting.ts";

const HOUR_MS = 3_600_000;

/**
 * One person in one study, in this browser: joining, how they stand, pausing and leaving. Lives in the
 * worker; everything that must outlive it is in a database of this study alone, sealed.
 */
export class Keeper {
  /** Of the database: random, so that it does not say where somebody takes part. */
  readonly #name: string;
  readonly mirror = new Mirror();
  /** Origins that the person switched on, the browser granted and the policy leaves. */
  enabled = new Map<string, Site>();
  account: Counted | null = null;
  place: Place | null = null;
  /** What waits to leave. */
  waiting: Waiting | null = null;
  #vault: Vault | null = null;
  paused = false;
  stale = false;
  leaving = false;
  /** The server could not be reached, or was not able to take the last batch. */
  offline = false;
  readonly #pauses = new Pauses();
  #server: ServerClock | null = null;
  #compared_ms = 0;
  /** Called when what pages or the panel should know has changed. */
  changed: () => void = () => {};

  constructor(name: string) {
    this.#name = name;
  }

  /** Address of the study; empty for who takes part in none. */
  get at(): string {
    return this.place ? addressOf(this.place.base, this.place.study) : "";
  }

  get grant(): Grant | null {
    return this.account?.grant ?? null;
  }

  /** Whether pages may record: joined, and the notice is the one that was agreed to. */
  get permits(): boolean {
    return this.grant !== null && !this.stale && !this.leaving;
  }

  /** What a page of this origin needs to record; null if nothing may be there. */
  permitFor(origin: string): Permit | null {
    const { grant, place, at, paused } = this;
    const site = this.permits ? this.enabled.get(origin) : undefined;
    if (!grant || !site || !place) return null;
    const { receipt_id, purposes, level, transform, outbox_delay_s, words, paths = [] } = grant;
    const { study } = place;
    const stated = { at, study, receipt: receipt_id, purposes, level, transform, outbox_delay_s };
    return { ...stated, site, paths, words, paused, server: this.#server };
  }

  /** Go on with the grant of an earlier time; without one, what was begun of it goes. */
  async load(): Promise<void> {
    const vault = await Vault.open(this.#name, false);
    const grant = (await vault?.get<Grant>("grant", "grant"))?.json;
    const place = (await vault?.get<Place>("grant", "place"))?.json;
    if (!vault || !grant || !place) return void (await vault?.destroy());
    this.#equip(vault, new Counted(place.base, place.study), place);
    if (this.account) this.account.grant = grant;
    this.paused = (await vault.get("grant", "paused")) !== null;
    this.leaving = (await vault.get("grant", "leaving")) !== null;
    this.#server = (await vault.get<ServerClock>("grant", "server"))?.json ?? null;
  }

  #equip(vault: Vault, account: Counted, place: Place): void {
    // Joined again, it goes on with the same: two would count what leaves twice.
    if (this.#vault !== vault || !this.waiting)
      this.waiting = new Waiting(vault, account, `${this.#name}-outbox`);
    this.#vault = account.vault = vault;
    this.account = account;
    this.place = place;
  }

  /** Join for what the person chose of the notice that they read; again, where it has changed. */
  async join({ base, study, lang, shown }: Read, purposes: string[], detail?: string): Promise<void> {
    if (this.grant && !this.stale)
      throw new OvertError("you take part in this study already", "join", "Leave it first");
    const sites = shown.notice.settings.sites ?? [];
    if (sites.length === 0)
      throw new OvertError("this study lists no site for the extension", "sites", "Join on its page");
    const again = this.account !== null;
    const account = this.account ?? new Counted(base, study);
    const told = { ...shown, bytes: new Uint8Array() };
    const grant = await granted(account, told, purposes, lang, detail);
    try {
      if (noticeIn(grant) !== shown.sha256)
        throw new OvertError("is of another notice than the one you saw", "receipt", "Tell the contact");
      await this.#begin({ base, study }, shown.notice, account, grant, detail);
    } catch (error) {
      account.grant = { ...grant, former: [] };
      await account.withdraw().catch(() => undefined);
      await (again ? this.load() : this.#purge());
      throw error;
    }
  }

  /** Take part as the person does on another device already, by a code that it shows. */
  async pair({ base, study }: Read, code: string): Promise<void> {
    if (this.grant) throw new OvertError("you take part in this study already", "pair", "Leave it first");
    const account = new Counted(base, study);
    const { grant, notice } = await grantOf(await taken(base, study, code), account);
    try {
      await this.#begin({ base, study }, notice, account, grant, grant.transform);
    } catch (error) {
      await this.#purge();
      throw error;
    }
  }

  async #begin(
    at: { base: string; study: string },
    notice: Notice,
    account: Counted,
    grant: Grant,
    detail?: string,
  ): Promise<void> {
    const sites = notice.settings.sites ?? [];
    const vault = this.#vault ?? (await Vault.open(this.#name, true));
    if (!vault) throw new OvertError("cannot be opened", "storage");
    const known = (this.place?.on ?? []).filter((origin) => sites.some((s) => s.origin === origin));
    const { levels } = notice.choices.details;
    const place: Place = {
      ...at,
      title: notice.title,
      purposes: notice.choices.purposes.map(({ id, title }) => ({ id, title })),
      ...(notice.events && { events: notice.events }),
      detail: levels.find(({ id }) => id === detail || `${id}/0` === detail)?.title ?? "",
      sites,
      on: known,
    };
    this.#equip(vault, account, place);
    await vault.change([{ store: "grant", at: "place", json: place }]);
    await account.keep(grant);
    this.paused = this.stale = this.leaving = false;
    this.#compared_ms = Date.now();
    this.changed();
    void this.ask().catch(() => undefined);
  }

  async #mark(name: "paused" | "leaving", set: boolean): Promise<void> {
    await this.#vault?.change([{ store: "grant", at: name, ...(set ? { json: true } : {}) }]);
  }

  async #halt(paused: boolean): Promise<void> {
    this.paused = paused;
    this.changed();
    await this.#mark("paused", paused);
  }

  async pause(paused: boolean): Promise<void> {
    await this.#halt(paused);
    if (paused) await this.#pauses.tell(this.account);
  }

  /** A code for another device of the person; good for ten minutes and once. */
  async offer(): Promise<string> {
    const { grant, account, place } = this;
    if (!grant || !account || !place) throw new OvertError("nobody has joined here", "receipt");
    const { code, left } = await sealed(grant, place.study);
    const answer = await account.fetch("/v1/me/pair", posted(left));
    if (!answer.ok) throw new OvertError("could not be left at the server", "code", "Try again later");
    return code;
  }

  /** Switch a site on or off. */
  async turn(origin: string, on: boolean): Promise<void> {
    const { place } = this;
    if (!place?.sites.some((site) => site.origin === origin)) return;
    place.on = [...place.on.filter((one) => one !== origin), ...(on ? [origin] : [])];
    await this.#vault?.change([{ store: "grant", at: "place", json: place }]);
    this.changed();
  }

  /**
   * Leave: nothing is recorded from here on, and what waited is gone, whatever the server says. If
   * it cannot be reached, it is told as soon as it can. True when it knows.
   */
  async leave(): Promise<boolean> {
    this.leaving = true;
    this.changed();
    await this.#mark("leaving", true);
    this.mirror.clear();
    await this.waiting?.empty();
    return this.#tellLeft();
  }

  async #tellLeft(): Promise<boolean> {
    if (!(await this.#told(this.account?.withdraw()))) return false;
    await this.#purge();
    return true;
  }

  /** Whether this is the only purpose that is left. */
  isLast(purpose: string): boolean {
    return this.grant?.purposes.every((id) => id === purpose) ?? true;
  }

  /**
   * Take one purpose back: what served it alone is neither recorded nor kept from here on, whatever
   * the server says. True when it knows.
   */
  async withdraw(purpose: string): Promise<boolean> {
    await this.#vault?.change([{ store: "grant", at: "owed", json: [...(await this.#owed()), purpose] }]);
    for (const { receipt_id } of this.account?.proofs ?? [])
      await this.#narrow(receipt_id, (id) => id !== purpose);
    return this.#tellOwed();
  }

  /** Purposes that were taken back and of which the server has not heard. */
  async #owed(): Promise<string[]> {
    return (await this.#vault?.get<string[]>("grant", "owed"))?.json ?? [];
  }

  async #tellOwed(): Promise<boolean> {
    const owed = await this.#owed();
    const { account, grant } = this;
    if (owed.length === 0 || !account || !grant) return true;
    // Earlier receipts may have been for them too, and say so no longer.
    const former = grant.former.map((one) => ({ ...one, purposes: [...one.purposes, ...owed] }));
    if (!(await this.#told(account.withdraw(owed, { ...grant, former })))) return false;
    await this.#vault?.change([{ store: "grant", at: "owed" }]);
    return true;
  }

  /** Whether the server has heard: one that knows of no such receipt has nothing to withdraw. */
  async #told(telling: Promise<unknown> | undefined): Promise<boolean> {
    try {
      await telling;
    } catch (error) {
      const status = error instanceof OvertError ? error.status : 0;
      if (![GONE, 400, 403, 404].includes(status)) {
        this.offline = true;
        this.changed();
        return false;
      }
    }
    return true;
  }

  /** Everything here goes, and the key with it. */
  async #purge(): Promise<void> {
    const vault = this.#vault;
    this.#forget();
    this.changed();
    await vault?.destroy().catch(() => undefined);
  }

  #forget(): void {
    this.#server = null;
    this.account = this.place = this.waiting = this.#vault = null;
    this.paused = this.stale = this.leaving = this.offline = false;
  }

  /** Ask how the person stands, and see whether the notice changed; tell of a leaving not yet told. */
  async ask(): Promise<void> {
    if (!this.grant) return;
    if (this.leaving) {
      await this.#tellLeft();
      return;
    }
    await this.#tellOwed();
    const asked_ms = Date.now();
    const standing = await this.account?.standing().catch((): null => null);
    if (standing) {
      await this.#compareClocks(asked_ms, (standing as { now_us?: unknown }).now_us, Date.now());
      this.#reached(true);
      if (this.#pauses.heard(standing) && !this.paused) await this.#halt(true);
      await this.#stand(standing);
    } else this.#reached(false);
    if (Date.now() - this.#compared_ms > HOUR_MS) await this.#compare();
  }

  /** Take in what time it was at the server; pages that knew nothing of it are told. */
  async #compareClocks(asked_ms: number, said_us: unknown, answered_ms: number): Promise<void> {
    const before = this.#server;
    const now = better(before, asked_ms, said_us, answered_ms);
    if (now === before || !this.grant) return;
    this.#server = now;
    await this.#vault?.change([{ store: "grant", at: "server", json: now }]);
    if (!before || !isFresh(before)) this.changed();
  }

  #reached(reached: boolean): void {
    if (this.offline === !reached) return;
    this.offline = !reached;
    this.changed();
  }

  /** Send what is due; `force`: all that waits. */
  async send(force: boolean): Promise<void> {
    const { waiting } = this;
    if (!waiting) return;
    const isLeft = () => this.leaving || this.waiting !== waiting;
    const { gone, taken } = await waiting.send(force, isLeft);
    if (taken) this.changed();
    if (gone) await this.#narrow(gone.receipt, (id) => !gone.purposes.includes(id));
  }

  async #stand({ withdrawn = false, purposes }: Known): Promise<void> {
    const receipt = this.grant?.receipt_id ?? "";
    await this.#narrow(receipt, (id) => !withdrawn && (purposes?.includes(id) ?? true));
  }

  /** Go on with those purposes of a receipt that are left; with none, stop and purge. */
  async #narrow(receipt: string, isLeft: (purpose: string) => boolean): Promise<void> {
    const { account, grant } = this;
    const proof = account?.proofs.find(({ receipt_id }) => receipt_id === receipt);
    if (!account || !grant || !proof) return;
    const left = proof.purposes.filter(isLeft);
    if (left.length === proof.purposes.length) return;
    if (proof === grant && left.length === 0) return this.#purge();
    const narrowed = <T extends Proof>(one: T): T =>
      one.receipt_id === receipt ? { ...one, purposes: left } : one;
    await account.keep({ ...narrowed(grant), former: grant.former.map(narrowed) });
    this.mirror.clear();
    this.changed();
    await this.fit();
  }

  /** The page of a session is gone. Where the notice lets nothing be held over, the rest is lost. */
  async ended(session: string): Promise<void> {
    await this.waiting?.desk.close(session, true);
    await this.fit();
    if (this.grant?.hold_days === 0) await this.waiting?.lose(session);
  }

  /** Make what waits fit what is left of each receipt. */
  async fit(): Promise<void> {
    await this.waiting?.fit(this.account?.proofs ?? []);
  }

  async #compare(): Promise<void> {
    const { account, grant } = this;
    const shown = grant && (await account?.notice(grant.lang).catch(() => null));
    if (!shown || this.grant?.receipt_id !== grant.receipt_id) return;
    this.#compared_ms = Date.now();
    const stale = shown.sha256 !== grant.notice_sha256;
    if (stale === this.stale) return;
    this.stale = stale;
    this.changed();
  }

  /** Take entries out of the outbox; they never leave. Returns how many events. */
  async remove(which: (entry: { id: string; closed_ms: number }) => boolean): Promise<number> {
    const rows = (await this.waiting?.remove(which)) ?? 0;
    this.changed();
    return rows;
  }
}

/** The notice that a receipt states. */
function noticeIn({ receipt }: Grant): unknown {
  const { processing } = receipt as { processing?: { privacy_notice?: { sha256?: unknown } } };
  return processing?.privacy_notice?.sha256;
}
