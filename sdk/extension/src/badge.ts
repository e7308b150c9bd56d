import type { Shown } from "./protocol.ts";
import { text } from "./words.ts";

/** Signs that need no language, by what a page's recording does. */
const SIGNS: Readonly<Record<Exclude<Shown, "none">, [text: string, color: string]>> = {
  recording: ["●", "#9c2b22"],
  paused: ["❚❚", "#6b4600"],
  blocked: ["–", "#4a5259"],
};
const OFFLINE_SIGN = "●!";

/** What the toolbar icon says of a tab: the sign that no page can reach. */
export async function paint(tabId: number, shown: Shown, offline: boolean): Promise<void> {
  const [sign, color] = shown === "none" ? ["", "#4a5259"] : SIGNS[shown];
  const waits = offline && shown === "recording";
  const title = waits ? `${text(shown)}. ${text("offline")}` : text(shown);
  // The tab may be gone by now.
  await Promise.allSettled([
    chrome.action.setBadgeText({ tabId, text: waits ? OFFLINE_SIGN : sign }),
    chrome.action.setBadgeBackgroundColor({ tabId, color }),
    chrome.action.setBadgeTextColor({ tabId, color: "#ffffff" }),
    chrome.action.setTitle({ tabId, title }),
  ]);
}
