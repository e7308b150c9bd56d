/** The background of the extension. It may be stopped and started again at any moment. */

import { Account } from "../../src/account.ts";
import { OvertError } from "../../src/errors.ts";
import { paint } from "./badge.ts";
import { Keeper } from "./keeper.ts";
import { type Page, call, flushed, known, living, pages, say, toTop } from "./pages.ts";
import { everything, forgetHour } from "./past.ts";
import { type Read, addressOf } from "./place.ts";
import {
  type Answer,
  type Ask,
  type Command,
  LAST,
  type Last,
  type OfStudy,
  type Permit,
  type ToWorker,
  type View,
} from "./protocol.ts";
import { type Policy, type Site, allowsServer, patternOf, placeIn, readPolicy } from "./sites.ts";
import { joinedView, outboxView, sitesOf } from "./views.ts";

/** Whether this is the build for Chromium; the other one is for Firefox. */
declare const CHROMIUM: boolean;

const BEAT_MS = 1000;
const ASK_BEATS = 5;
/** After so long without a word from a page, the worker may rest; an alarm looks after what waits. */
const ACTIVE_MS = 20_000;
const SESSION = /^[0-9a-f]{32}$/;
/** Databases of studies; the first is of a version that knew but one. */
const NAME = /^overt(-[0-9a-f]{32})?$/;

/** The studies that the person takes part in. */
const keepers = new Set<Keeper>();
/** The notice that the panel showed last. */
let read: Read | null = null;
let policy: Policy = {};
let rawPolicy: Record<string, unknown> | null = null;
/** Whether it is known how things stand. */
let begun = false;
let active_ms = 0;
let beats = 0;
/** No two of these run at once. */
let syncing: Promise<void> = Promise.resolve();

const ready = (async () => {
  await chrome.storage.session?.setAccessLevel?.({ accessLevel: "TRUSTED_AND_UNTRUSTED_CONTEXTS" });
  await readManaged();
  for (const { name = "" } of await indexedDB.databases().catch(() => []))
    if (NAME.test(name)) {
      const keeper = keeperNamed(name);
      await keeper.load().catch(() => undefined);
      if (keeper.grant) keepers.add(keeper);
    }
  await sync();
})();

function keeperNamed(name: string): Keeper {
  const keeper = new Keeper(name);
  keeper.changed = () => void sync();
  return keeper;
}

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

/** Sites that the person switched on, the browser granted and the policy leaves. */
async function enabledOf(keeper: Keeper): Promise<Map<string, Site>> {
  const now = new Map<string, Site>();
  for (const site of sitesOf(keeper, policy))
    if (keeper.grant && !keeper.leaving && keeper.place?.on.includes(site.origin))
      if (await chrome.permissions.contains({ origins: [patternOf(site.origin, CHROMIUM)] }))
        now.set(site.origin, site);
  for (const { origin } of keeper.place?.sites ?? []) known.add(origin);
  return now;
}

async function bringInLine(): Promise<void> {
  for (const keeper of keepers) if (!keeper.grant) keepers.delete(keeper);
  const found = new Map<Keeper, Map<string, Site>>();
  for (const keeper of keepers) found.set(keeper, await enabledOf(keeper));
  // What is switched off holds at once; what is switched on, when the browser knows it.
  // A worker that has just begun knows nothing yet, and tells pages nothing that it does not know.
  if (begun) {
    for (const [keeper, now] of found)
      keeper.enabled = new Map([...now].filter(([origin]) => keeper.enabled.has(origin)));
    tellAll();
  }
  const origins = new Set([...found.values()].flatMap((now) => [...now.keys()]));
  const wanted = [...origins].map((origin) => ({
    id: `site ${origin}`,
    matches: [patternOf(origin, CHROMIUM)],
    js: ["content.js"],
    runAt: "document_start" as const,
    allFrames: true,
    persistAcrossSessions: true,
  }));
  const there = (await chrome.scripting.getRegisteredContentScripts()).map(({ id }) => id);
  const gone = there.filter((id) => !wanted.some((script) => script.id === id));
  if (gone.length > 0) await chrome.scripting.unregisterContentScripts({ ids: gone });
  const more = wanted.filter(({ id }) => !there.includes(id));
  if (more.length > 0) await chrome.scripting.registerContentScripts(more);
  for (const [keeper, now] of found) keeper.enabled = now;
  begun = true;
  tellAll();
  void call({ call: "look" });
  if (keepers.size === 0) {
    await chrome.alarms.clear("beat");
    await chrome.storage.session?.clear();
  } else if (!(await chrome.alarms.get("beat")))
    await chrome.alarms.create("beat", { periodInMinutes: 0.5 });
}

/** Give the browser's permission for these origins back, unless another study has them switched on. */
async function giveBack(origins: readonly string[]): Promise<void> {
  const pattern = (origin: string) => patternOf(origin, CHROMIUM);
  const staying = [...keepers].filter(({ leaving }) => !leaving);
  const used = new Set(staying.flatMap(({ place }) => (place?.on ?? []).map(pattern)));
  const free = origins.map(pattern).filter((one) => !used.has(one));
  if (free.length > 0) await chrome.permissions.remove({ origins: free }).catch(() => false);
}

/** The studies that may record at an origin. */
const permitting = (origin: string): [Keeper, Permit][] =>
  [...keepers].flatMap((keeper): [Keeper, Permit][] => {
    const permit = keeper.permitFor(origin);
    return permit ? [[keeper, permit]] : [];
  });

function tell(page: Page): void {
  say(page, {
    permits: permitting(page.origin).map(([, permit]) => permit),
    channel: page.channel,
  });
  show(page);
}

function tellAll(): void {
  for (const page of pages) tell(page);
}

function show({ port, shows, origin }: Page): void {
  const { tab, frameId } = port.sender ?? {};
  if (frameId !== 0 || tab?.id === undefined) return;
  const offline = permitting(origin).some(([keeper]) => keeper.offline);
  void paint(tab.id, shows, offline);
}

chrome.runtime.onConnect.addListener((port) => {
  const { sender } = port;
  const tab = sender?.tab?.id;
  if (sender?.id !== chrome.runtime.id || tab === undefined || !sender?.url) return port.disconnect();
  const { origin } = new URL(sender.url);
  const page: Page = { port, origin, channel: "", sessions: new Map(), shows: "none", flushed() {} };
  port.onDisconnect.addListener(() => {
    void chrome.runtime.lastError; // a page that is put aside disconnects; that is no error
    pages.delete(page);
  });
  port.onMessage.addListener((message) => void heard(page, message as ToWorker).catch(() => undefined));
  if (sender.frameId === 0) pages.add(page);
  else void meetFrame(page, tab).catch(() => port.disconnect());
  void ready.then(() => pages.has(page) && tell(page));
});

/** A frame hears of the page around it by a name that this page tells; without it, it hears nothing. */
async function meetFrame(page: Page, tab: number): Promise<void> {
  page.channel = String((await toTop(tab, { call: "channel" })) ?? "");
  if (!page.channel) return page.port.disconnect();
  pages.add(page);
  await ready;
  tell(page);
}

async function heard(page: Page, message: ToWorker): Promise<void> {
  await ready;
  if ("shows" in message) {
    page.shows = message.shows;
    return show(page);
  }
  if ("flushed" in message) return page.flushed();
  if ("pressed" in message) {
    const here = permitting(page.origin).map(([keeper]) => keeper.pause(message.pressed === "pause"));
    return void (await Promise.all(here));
  }
  if ("last" in message) return takeLast({ ...message.last, origin: page.origin });
  const { ask, n } = message;
  // A page that lost its site, or whose person left, writes nothing any more.
  const [keeper] = permitting(page.origin).find(([, { at }]) => at === ask.at) ?? [];
  if (!keeper?.waiting) return tell(page);
  active_ms = Date.now();
  if (!SESSION.test(ask.session)) return;
  page.sessions.set(ask.at, ask.session);
  if (ask.do === "begin") await begin(page.origin, ask);
  else {
    await keeper.waiting.desk.write(ask);
    if (ask.do === "part") keeper.mirror.add(ask.streams, await keeper.waiting.desk.origin_ms(ask.session));
    else await keeper.fit();
  }
  say(page, { written: n });
}

/** A session of a page begins. What its batches state comes from the grant, not from the page. */
async function begin(origin: string, ask: Extract<Ask, { do: "begin" }>): Promise<Keeper | null> {
  const [keeper, permit] = permitting(origin).find(([, { at }]) => at === ask.at) ?? [];
  if (!keeper || !permit) return null;
  const { site: _site, paths: _paths, words: _words, at: _at, paused: _paused, ...stated } = permit;
  const { session, time_origin_ms, clock_resolution_us } = ask;
  const source = "extension/0.1.0";
  await keeper.waiting?.desk.begin({ ...stated, session, time_origin_ms, clock_resolution_us, source });
  return keeper;
}

async function takeLast({ origin, begin: began, streams }: Last): Promise<void> {
  if (!SESSION.test(began.session)) return;
  const keeper = await begin(origin, began);
  await keeper?.waiting?.desk.last(began.session, streams);
  await keeper?.ended(began.session);
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
async function recover(keeper: Keeper): Promise<void> {
  const open = (await keeper.waiting?.desk.sessions()) ?? [];
  const here = new Set([...pages].flatMap(({ sessions }) => [...sessions.values()]));
  if (open.every((session) => here.has(session))) return;
  const there = await living();
  for (const session of open) if (!there.has(session)) await keeper.ended(session);
}

/** One after the other: a page's last words are taken up once. */
let taking: Promise<void> = Promise.resolve();
const lasts = (): Promise<void> => (taking = taking.then(takeLasts).catch(() => undefined));

async function beat(): Promise<void> {
  await ready;
  if (keepers.size === 0) return;
  await lasts();
  for (const keeper of keepers) {
    await keeper.send(false);
    await keeper.ask();
    await recover(keeper);
  }
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
  if (Date.now() - active_ms > ACTIVE_MS) return;
  beats += 1;
  for (const keeper of keepers) {
    void keeper.send(false).catch(() => undefined);
    if (beats % ASK_BEATS === 0) void keeper.ask().catch(() => undefined);
  }
}, BEAT_MS);

/** Have every open page hand over what it has of a study, and close it all. */
async function gather(keeper: Keeper): Promise<void> {
  await flushed();
  await lasts();
  for (const session of (await keeper.waiting?.desk.sessions()) ?? []) await keeper.waiting?.desk.close(session, false);
  await keeper.fit();
}

async function obey(command: Command): Promise<unknown> {
  await ready;
  switch (command.do) {
    case "view": {
      const studies = await Promise.all([...keepers].map((keeper) => joinedView(keeper, policy)));
      return { studies: studies.flat(), policy: rawPolicy } satisfies View;
    }
    case "pauseAll":
      return void (await Promise.all([...keepers].map((keeper) => keeper.pause(true))));
    case "notice":
      return notice(command.address, command.lang);
    case "join":
      return join((keeper, of) => keeper.join(of, command.purposes, command.detail));
    case "pair":
      return join((keeper, of) => keeper.pair(of, command.code));
  }
  const { at } = command;
  const keeper = [...keepers].find((one) => one.at === at || (at === undefined && keepers.size === 1));
  if (!keeper) throw new OvertError("is none that you take part in", "study", "Open the panel again");
  return obeyOf(keeper, command);
}

/** Fetch a notice to be shown. Stores nothing. */
async function notice(address: string, lang: string): Promise<Read["shown"]> {
  const place = placeIn(address);
  if (!place) throw new OvertError("is not the address of a study", "address", "See its invitation");
  const { base, study } = place;
  if (!allowsServer(base, policy))
    throw new OvertError("the policy of this browser does not allow this server", "address");
  const { notice, sha256 } = await new Account(base, study).notice(lang);
  read = { base, study, lang, shown: { server: base, notice, sha256 } };
  return read.shown;
}

/** Take part in the study whose notice was shown. */
async function join(how: (keeper: Keeper, of: Read) => Promise<void>): Promise<void> {
  if (!read) throw new OvertError("no notice was shown", "join", "Enter the address again");
  const at = addressOf(read.base, read.study);
  const name = `overt-${crypto.randomUUID().replaceAll("-", "")}`;
  const keeper = [...keepers].find((one) => one.at === at) ?? keeperNamed(name);
  await how(keeper, read);
  keepers.add(keeper);
  read = null;
  await sync();
}

async function obeyOf(keeper: Keeper, command: OfStudy): Promise<unknown> {
  switch (command.do) {
    case "pause":
    case "resume":
      return keeper.pause(command.do === "pause");
    case "enable":
    case "disable":
      await keeper.turn(command.origin, command.do === "enable");
      await sync();
      if (command.do === "disable") await giveBack([command.origin]);
      return sync();
    case "outbox":
      await gather(keeper);
      return outboxView(keeper);
    case "mirror":
      return keeper.mirror.view(keeper.place?.events);
    case "remove":
      return keeper.remove(({ id }) => id === command.id);
    case "forgetHour":
      await gather(keeper);
      return forgetHour(keeper);
    case "send":
      await gather(keeper);
      await keeper.send(true);
      return keeper.ask();
    case "offer":
      return keeper.offer();
    case "receipt":
      return keeper.grant?.receipt ?? null;
    case "export":
      return everything(keeper);
    case "withdraw":
      await gather(keeper);
      if (keeper.isLast(command.purpose)) return obeyOf(keeper, { do: "leave" });
      return keeper.withdraw(command.purpose);
    case "leave": {
      const origins = keeper.place?.on ?? [];
      const told = await keeper.leave();
      await sync();
      await giveBack(origins);
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
