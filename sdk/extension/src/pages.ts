/** The pages that are connected to the worker, and the way to those that are not. */

import type { Call, Shown, ToPage } from "./protocol.ts";
import { patternOf } from "./sites.ts";

/** Whether this is the build for Chromium; the other one is for Firefox. */
declare const CHROMIUM: boolean;

const FLUSH_MS = 1000;

/** A page that is connected. */
export interface Page {
  port: chrome.runtime.Port;
  origin: string;
  /** By which a frame hears of the page around it; empty for what is no frame. */
  channel: string;
  /** Its sessions, by the address of the study. */
  sessions: Map<string, string>;
  shows: Shown;
  /** Called when it has handed over what it had. */
  flushed: () => void;
}

export const pages = new Set<Page>();
/** Origins of sites that were on a list since the worker began. */
export const known = new Set<string>();

export function say(page: Page, message: ToPage): void {
  try {
    page.port.postMessage(message);
  } catch {
    pages.delete(page);
  }
}

/** Ask the page of a tab; frames hear of what it learns from it. */
export const toTop = (tab: number, message: Call): Promise<unknown> =>
  chrome.tabs.sendMessage(tab, message, { frameId: 0 });

/** Call pages whose port has fallen silent; returns what they answer. */
export async function call(message: Call): Promise<unknown[]> {
  const url = [...known].map((origin) => patternOf(origin, CHROMIUM));
  const tops = [...pages].filter(({ channel }) => !channel);
  const here = new Set(tops.map(({ port }) => port.sender?.tab?.id));
  // Only tabs of sites that the browser has granted are found.
  const tabs = url.length > 0 ? await chrome.tabs.query({ url }) : [];
  const asked = tabs.map(({ id }) =>
    id === undefined || here.has(id) ? null : toTop(id, message),
  );
  return (await Promise.allSettled(asked)).map((one) =>
    one.status === "fulfilled" ? one.value : undefined,
  );
}

/** Have every page hand over what it has, also those that this worker has not met yet. */
export async function flushed(): Promise<void> {
  // A page that hangs is not waited for.
  await Promise.race([handedOver(), new Promise((over) => setTimeout(over, FLUSH_MS))]);
}

async function handedOver(): Promise<void> {
  await call({ call: "look" });
  const handed = [...pages].map((page) => new Promise<void>((resolve) => {
    page.flushed = resolve;
    say(page, { flush: true });
  }));
  await Promise.all(handed);
}

/** Sessions whose pages are still there. */
export async function living(): Promise<Set<string>> {
  const answered = (await call({ call: "sessions" })) as (string[] | undefined)[];
  const connected = [...pages].flatMap(({ sessions }) => [...sessions.values()]);
  return new Set([...connected, ...answered.flatMap((one) => one ?? [])]);
}
