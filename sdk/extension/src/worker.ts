/** The background of the extension. It may be stopped and started again at any moment. */

import { OvertError } from "../../src/errors.ts";
import { entryId } from "../../src/outbox.ts";
import { decode } from "../../src/read.ts";
import { describe } from "../../src/words.ts";
import { paint } from "./badge.ts";
import { Keeper } from "./keeper.ts";
import {
  type Answer,
  type Ask,
  type Call,
  type Command,
  LAST,
  type Last,
  type OutboxView,
  type Shown,
  type SiteView,
  type Standing,
  type ToPage,
  type ToWorker,
  type View,
} from "./protocol.ts";
import {
  type Policy,
  type Site,
  allowed,
  allowsServer,
  patternOf,
  placeIn,
  readPolicy,
} from "./sites.ts";

/** Whether this is the build for Chromium; the other one is for Firefox. */
declare const CHROMIUM: boolean;

const BEAT_MS = 1000;
const ASK_BEATS = 5;
/** After so long without a word from a page, the worker may rest; an alarm looks after what waits. */
const ACTIVE_MS = 20_000;
const FLUSH_MS = 1000;
const SESSION = /^[0-9a-f]{32}$/;

/** A page that is connected. */
interface Page {
  port: chrome.runtime.Port;
  origin: string;
  session: string;
  shows: Shown;
  /** Called when it has handed over what it had. */
  flushed: () => void;
}

const keeper = new Keeper();
const pages = new Set<Page>();
let policy: Policy = {};
let rawPolicy: Record<string, unknown> | null = null;
/** Origins that the person switched on, the browser granted and the policy leaves. */
let enabled = new Map<string, Site>();
/** Origins of sites that were on the list since the worker began. */
const known = new Set<string>();
/** Whether it is known how things stand. */
let begun = false;
let active_ms = 0;
let beats = 0;
/** No two of these run at once. */
let syncing: Promise<void> = Promise.resolve();

const ready = (async () => {
  await chrome.storage.session?.setAccessLevel?.({ accessLevel: "TRUSTED_AND_UNTRUSTED_CONTEXTS" });
  await readManaged();
  await keeper.load().catch(() => undefined);
  keeper.changed = () => void sync();
  await sync();
})();

async function readManaged(): Promise<void> {
  // Browsers without managed storage for this extension say so by an error.
  const raw = await chrome.storage.managed.get(null).catch(() => ({}));
  rawPolicy = Object.keys(raw).length > 0 ? raw : null;
  policy = readPolicy(raw);
}

/** Bring grants, registered scripts, pages and badges in line with how things stand. */
function sync(): Promise<void> {
  syncing = syncing.then(bringInLine).catch(() => undefined);
  return syncing;
}

async function bringInLine(): Promise<void> {
  const { place } = keeper;
  const sites = place && allowsServer(place.base, policy) ? allowed(place.sites, policy) : [];
  const now = new Map<string, Site>();
  for (const site of sites)
    if (keeper.grant && !keeper.leaving && place?.on.includes(site.origin))
      if (await chrome.permissions.contains({ origins: [patternOf(site.origin, CHROMIUM)] }))
        now.set(site.origin, site);
  for (const { origin } of place?.sites ?? []) known.add(origin);
  // What is switched off holds at once; what is switched on, when the browser knows it.
  // A worker that has just begun knows nothing yet, and tells pages nothing that it does not know.
  if (begun) {
    enabled = new Map([...now].filter(([origin]) => enabled.has(origin)));
    for (const page of pages) tellStanding(page);
  }
  const wanted = [...now.keys()].map((origin) => ({
    id: `site ${origin}`,
    matches: [patternOf(origin, CHROMIUM)],
    js: ["content.js"],
    runAt: "document_start" as const,
    allFrames: false,
    persistAcrossSessions: true,
  }));
  const there = (await chrome.scripting.getRegisteredContentScripts()).map(({ id }) => id);
  const gone = there.filter((id) => !wanted.some((script) => script.id === id));
  if (gone.length > 0) await chrome.scripting.unregisterContentScripts({ ids: gone });
  const more = wanted.filter(({ id }) => !there.includes(id));
  if (more.length > 0) await chrome.scripting.registerContentScripts(more);
  enabled = now;
  begun = true;
  for (const page of pages) tellStanding(page);
  void call({ call: "look" });
  if (!keeper.grant) {
    await chrome.alarms.clear("beat");
    await chrome.storage.session?.clear();
  } else if (!(await chrome.alarms.get("beat")))
    await chrome.alarms.create("beat", { periodInMinutes: 0.5 });
}

/** Call pages whose port has fallen silent; returns what they answer. */
async function call(message: Call): Promise<unknown[]> {
  const url = [...known].map((origin) => patternOf(origin, CHROMIUM));
  const here = new Set([...pages].map(({ port }) => port.sender?.tab?.id));
  // Only tabs of sites that the browser has granted are found.
  const tabs = url.length > 0 ? await chrome.tabs.query({ url }) : [];
  const asked = tabs.map(({ id }) =>
    id === undefined || here.has(id) ? null : chrome.tabs.sendMessage(id, message),
  );
  return (await Promise.allSettled(asked)).map((one) =>
    one.status === "fulfilled" ? one.value : undefined,
  );
}

function say(page: Page, message: ToPage): void {
  try {
    page.port.postMessage(message);
  } catch {
    pages.delete(page);
  }
}

function standingOf(origin: string): Standing {
  const { grant, paused } = keeper;
  const site = keeper.permits ? enabled.get(origin) : undefined;
  if (!grant || !site || !keeper.place) return { permit: null, paused };
  const permit = {
    study: keeper.place.study,
    receipt: grant.receipt_id,
    purposes: grant.purposes,
    level: grant.level,
    transform: grant.transform,
    outbox_delay_s: grant.outbox_delay_s,
    site,
    paths: grant.paths ?? [],
    words: grant.words,
  };
  return { permit, paused };
}

function tellStanding(page: Page): void {
  say(page, { standing: standingOf(page.origin) });
  show(page);
}

function show({ port, shows }: Page): void {
  const tab = port.sender?.tab?.id;
  if (tab !== undefined) void paint(tab, shows, keeper.offline);
}

chrome.runtime.onConnect.addListener((port) => {
  const { sender } = port;
  const ours = sender?.id === chrome.runtime.id && sender?.frameId === 0 && sender.tab;
  if (!ours || !sender?.url) return port.disconnect();
  const { origin } = new URL(sender.url);
  const page: Page = { port, origin, session: "", shows: "none", flushed() {} };
  pages.add(page);
  port.onDisconnect.addListener(() => {
    void chrome.runtime.lastError; // a page that is put aside disconnects; that is no error
    pages.delete(page);
  });
  port.onMessage.addListener((message) => void heard(page, message as ToWorker).catch(() => undefined));
  void ready.then(() => tellStanding(page));
});

async function heard(page: Page, message: ToWorker): Promise<void> {
  await ready;
  if ("shows" in message) {
    page.shows = message.shows;
    return show(page);
  }
  if ("flushed" in message) return page.flushed();
  // A page that lost its site, or whose person left, writes nothing any more.
  if (!keeper.desk || !enabled.has(page.origin)) return tellStanding(page);
  active_ms = Date.now();
  if ("pressed" in message) return keeper.pause(message.pressed === "pause");
  if ("last" in message) return takeLast({ ...message.last, origin: page.origin });
  const { ask, n } = message;
  if (!SESSION.test(ask.session)) return;
  page.session = ask.session;
  if (ask.do === "begin") await begin(page.origin, ask);
  else {
    await keeper.desk.write(ask);
    if (ask.do === "close") await keeper.fit();
  }
  say(page, { written: n });
}

/** A session of a page begins. What its batches state comes from the grant, not from the page. */
async function begin(origin: string, ask: Extract<Ask, { do: "begin" }>): Promise<void> {
  const { permit } = standingOf(origin);
  if (!permit) return;
  const { site: _site, paths: _paths, words: _words, ...stated } = permit;
  const { session, time_origin_ms, clock_resolution_us } = ask;
  const source = "extension/0.1.0";
  await keeper.desk?.begin({ ...stated, session, time_origin_ms, clock_resolution_us, source });
}

async function takeLast({ origin, begin: began, streams }: Last): Promise<void> {
  if (!enabled.has(origin) || !SESSION.test(began.session)) return;
  await begin(origin, began);
  await keeper.desk?.last(began.session, streams);
  await keeper.ended(began.session);
}

/** Take up what pages that closed have left in the browser's memory. */
async function takeLasts(): Promise<void> {
  const left = (await chrome.storage.session?.get(null)) ?? {};
  for (const [key, last] of Object.entries(left)) {
    if (!key.startsWith(LAST)) continue;
    await takeLast(last as Last);
    await chrome.storage.session?.remove(key);
  }
}

/** Sessions whose pages are gone without a word are closed as they are. */
async function recover(): Promise<void> {
  const { desk } = keeper;
  const open = (await desk?.sessions()) ?? [];
  const connected = () => [...pages].map(({ session }) => session);
  if (open.every((session) => connected().includes(session))) return;
  const answered = await call({ call: "session" });
  for (const session of open)
    if (!connected().includes(session) && !answered.includes(session)) await keeper.ended(session);
}

/** One after the other: a page's last words are taken up once. */
let taking: Promise<void> = Promise.resolve();
const lasts = (): Promise<void> => (taking = taking.then(takeLasts).catch(() => undefined));

async function beat(): Promise<void> {
  await ready;
  if (!keeper.grant) return;
  await lasts();
  await keeper.send(false);
  await keeper.ask();
  await recover();
}

chrome.alarms.onAlarm.addListener(() => void beat().catch(() => undefined));
chrome.runtime.onStartup.addListener(() => void beat().catch(() => undefined));
chrome.runtime.onInstalled.addListener(() => void ready);
chrome.permissions.onAdded.addListener(() => void ready.then(sync));
chrome.permissions.onRemoved.addListener(() => void ready.then(sync));
chrome.storage.onChanged.addListener((_changes, area) => {
  if (area === "managed") void ready.then(readManaged).then(sync);
  else if (area === "session") void ready.then(lasts);
});

setInterval(() => {
  if (Date.now() - active_ms > ACTIVE_MS || !keeper.grant) return;
  beats += 1;
  void keeper.send(false).catch(() => undefined);
  if (beats % ASK_BEATS === 0) void keeper.ask().catch(() => undefined);
}, BEAT_MS);

/** Have every open page hand over what it has, and close it all. A page that hangs is not waited for. */
async function gather(): Promise<void> {
  const { desk } = keeper;
  if (!desk) return;
  const handed = [...pages]
    .filter(({ session }) => session)
    .map((page) => new Promise<void>((resolve) => {
      page.flushed = resolve;
      say(page, { flush: true });
    }));
  await Promise.race([Promise.all(handed), new Promise((over) => setTimeout(over, FLUSH_MS))]);
  await lasts();
  for (const session of await desk.sessions()) await desk.close(session, false);
  await keeper.fit();
}

async function view(): Promise<View> {
  const { grant, place, outbox, desk } = keeper;
  if (!grant || !place || !outbox || !desk) return { joined: null, policy: rawPolicy };
  const counts = await outbox.ledger.counts();
  const { acknowledged, removed, lost, quarantined } = counts;
  const left = allowsServer(place.base, policy) ? allowed(place.sites, policy) : [];
  const stateOf = ({ origin }: Site): SiteView["state"] =>
    enabled.has(origin) ? "on" : left.some((site) => site.origin === origin) ? "off" : "policy";
  const joined = {
    server: place.base,
    study: place.study,
    title: place.title,
    purposes: place.purposes.filter(({ id }) => grant.purposes.includes(id)),
    level: place.detail || grant.transform,
    outbox_delay_s: grant.outbox_delay_s,
    sites: place.sites.map((site) => ({ ...site, state: stateOf(site) })),
    paused: keeper.paused,
    stale: keeper.stale,
    leaving: keeper.leaving,
    offline: keeper.offline,
    today: await keeper.today(),
    waiting: counts.produced - acknowledged - removed - lost - quarantined + (await desk.open()),
    lost,
  };
  return { joined, policy: rawPolicy };
}

async function outboxView(): Promise<OutboxView> {
  await gather();
  const { outbox } = keeper;
  const found: OutboxView = [];
  for (const at of (await outbox?.places()) ?? []) {
    const kept = await outbox?.entry(at);
    if (!kept) continue;
    const events = decode(kept.bytes).events.map((one) => ({ t_us: one.t_us, text: describe(one) }));
    found.push({ ...kept.entry, id: entryId(kept.entry), bytes: kept.bytes.length, events });
  }
  return found.sort((a, b) => b.closed_ms - a.closed_ms);
}

async function obey(command: Command): Promise<unknown> {
  await ready;
  switch (command.do) {
    case "view":
      return view();
    case "notice": {
      const place = placeIn(command.address);
      if (!place) throw new OvertError("is not the address of a study", "address", "See its invitation");
      if (!allowsServer(place.base, policy))
        throw new OvertError("the policy of this browser does not allow this server", "address");
      return keeper.notice(place.base, place.study, command.lang);
    }
    case "join":
      return keeper.join(command.purposes, command.detail);
    case "pause":
    case "resume":
      return keeper.pause(command.do === "pause");
    case "enable":
    case "disable":
      await keeper.turn(command.origin, command.do === "enable");
      await sync();
      if (command.do === "disable")
        await chrome.permissions.remove({ origins: [patternOf(command.origin, CHROMIUM)] });
      return sync();
    case "outbox":
      return outboxView();
    case "remove":
      return keeper.remove(({ id }) => id === command.id);
    case "forgetHour":
      await gather();
      return keeper.forgetHour();
    case "send":
      await gather();
      await keeper.send(true);
      return keeper.ask();
    case "receipt":
      return keeper.grant?.receipt ?? null;
    case "export": {
      const answer = await keeper.account?.fetch("/v1/me/export");
      if (!answer?.ok) throw new OvertError("could not be fetched", "export", "Try again later");
      return answer.json();
    }
    case "withdraw":
      await gather();
      if (keeper.isLast(command.purpose)) return obey({ do: "leave" });
      return keeper.withdraw(command.purpose);
    case "leave": {
      const origins = keeper.place?.on.map((origin) => patternOf(origin, CHROMIUM)) ?? [];
      const told = await keeper.leave();
      await sync();
      if (origins.length > 0) await chrome.permissions.remove({ origins }).catch(() => false);
      return told;
    }
  }
}

chrome.runtime.onMessage.addListener((message, sender, answer) => {
  if (!sender.url?.startsWith(chrome.runtime.getURL("panel.html"))) return;
  obey(message as Command).then(
    (value) => answer({ value } satisfies Answer<unknown>),
    (error: unknown) => {
      const text = error instanceof OvertError ? error.message : "something went wrong";
      answer({ error: text } satisfies Answer<unknown>);
    },
  );
  return true;
});
