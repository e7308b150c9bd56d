/** The panel behind the toolbar icon; also a page of its own, in a tab. */

import { type Child, make } from "../../src/make.ts";
import { ask, askOf, button, enter, go, isTab, keepLooking, main, said, show, tabLink } from "./dom.ts";
import { fetched, stranger } from "./joining.ts";
import { document_, mirror, outbox, sure } from "./looking.ts";
import type { Joined, SiteView, View } from "./protocol.ts";
import { patternOf } from "./sites.ts";
import { language, text } from "./words.ts";

declare const CHROMIUM: boolean;

const LOOK_MS = 2000;

async function home(): Promise<void> {
  let before = "";
  const look = async (isLate: () => boolean) => {
    const view = await ask<View>({ do: "view" });
    const now = JSON.stringify(view);
    if (now === before || isLate()) return;
    before = now;
    const { studies } = view;
    const one = studies.length === 1 ? studies[0] : studies.find((study) => study.at === go.at);
    go.at = one?.at ?? "";
    const all = one ? member(one, studies.length > 1) : studies.length > 0 ? overview(studies) : stranger();
    show(...all, ...managed(view));
  };
  await keepLooking(look, LOOK_MS);
}

/** Look at another study, or at all of them. */
async function turnTo(other: string): Promise<void> {
  go.at = other;
  await home();
  main.focus();
  window.scrollTo(0, 0);
}

/** All studies that the person takes part in: how each stands, and pause. */
function overview(studies: Joined[]): Child[] {
  const goesOn = studies.some((study) => !study.paused && !study.leaving && !study.stale);
  const pauseAll = button("pauseAll", text("pauseAll"), () => ask({ do: "pauseAll" }).then(home), "main");
  return [
    make("h1", {}, text("studies")),
    make("div", { class: "row" }, ...(goesOn ? [pauseAll] : []), tabLink()),
    ...studies.map((study) =>
      make(
        "section",
        { class: "study", "data-study": study.at, "aria-label": study.title },
        make("h2", {}, study.title),
        standing(study),
        make("p", { class: "soft" }, sums(study)),
        make(
          "div",
          { class: "row" },
          ...(study.leaving || study.stale ? [] : [named(toggle(study, study.at), study.title)]),
          named(button(`open ${study.at}`, text("open"), () => turnTo(study.at)), study.title),
        ),
      ),
    ),
    make("div", { class: "row" }, another()),
  ];
}

/** A button among others that say the same: of which study it is, for those who do not see it. */
function named(press: HTMLButtonElement, title: string): HTMLButtonElement {
  press.setAttribute("aria-label", `${press.textContent}: ${title}`);
  return press;
}

const another = (): HTMLButtonElement => button("another", text("another"), () => enter(...stranger(true)));

const sums = ({ today, waiting }: Joined): string =>
  `${text("today")}: ${text("todayText", { ...today })} · ${text("waiting")}: ${text("waitingText", { events: waiting })}`;

function toggle({ paused }: Joined, of = ""): HTMLButtonElement {
  const label = text(paused ? "resumeDo" : "pauseDo");
  const work = () => askOf({ do: paused ? "resume" : "pause" }, of || go.at).then(home);
  return button(of ? `toggle ${of}` : "toggle", label, work, of ? "" : "main");
}

/** How a study stands, in a sentence. */
function standing({ sites, leaving, stale, paused }: Joined): HTMLElement {
  const anyOn = sites.some(({ state }) => state === "on");
  const on = !leaving && !stale && !paused && anyOn;
  const said = leaving
    ? "stateLeaving"
    : stale
      ? "stateStale"
      : paused
        ? "statePaused"
        : anyOn
          ? "stateOn"
          : "stateNoSite";
  return make("p", { class: on ? "state on" : "state", "data-id": "state" }, text(said));
}

/** `some`: there are other studies beside it. */
function member(joined: Joined, some: boolean): Child[] {
  const halted = joined.leaving || joined.stale;
  const reread = button("reread", text("reread"), () => fetched(joined.at), "main");
  const pair = (name: string, value: string) => [make("dt", {}, name), make("dd", {}, value)];
  const all = button("all", text("allStudies"), () => turnTo(""));
  return [
    ...(some ? [make("div", { class: "row" }, all)] : []),
    make("h1", {}, joined.title),
    standing(joined),
    ...(joined.offline ? [make("p", { "data-id": "offline" }, text("offline"))] : []),
    make(
      "div",
      { class: "row" },
      ...(joined.stale ? [reread] : halted ? [] : [toggle(joined)]),
      tabLink(),
    ),
    make(
      "dl",
      {},
      make("dt", {}, text("chosen")),
      ...joined.purposes.map(({ id, title }) =>
        make("dd", { "data-purpose": id }, title, " ", ...(joined.leaving ? [] : [back(id, title)])),
      ),
      ...pair(text("level"), joined.level),
      ...pair(text("today"), text("todayText", { ...joined.today })),
      ...pair(text("waiting"), text("waitingText", { events: joined.waiting })),
    ),
    ...(joined.lost > 0 ? [make("p", {}, text("lost", { events: joined.lost }))] : []),
    make(
      "div",
      { class: "row" },
      button("mirror", text("mirror"), mirror),
      button("outbox", text("outbox"), outbox),
      button("hour", text("hour"), () => sure(text("hourAsk"), { do: "forgetHour" }, "hourDone")),
    ),
    make("h2", {}, text("sites")),
    make("p", { class: "soft" }, text("sitesText")),
    make("ul", {}, ...joined.sites.map(site)),
    make(
      "div",
      { class: "row" },
      button("receipt", text("receipt"), () => document_("receipt")),
      button("export", text("export"), () => document_("export")),
      button("offer", text("offer"), offer),
      button("leave", text("leave"), () => sure(text("leaveAsk"), { do: "leave" }, "leaveDone"), "stop"),
    ),
    ...(some ? [] : [make("div", { class: "row" }, another())]),
  ];
}

/** Show a code for another device of the person. */
async function offer(): Promise<void> {
  const code = await askOf<string>({ do: "offer" });
  enter(
    make("h1", {}, text("offer")),
    make("p", {}, text("offerText")),
    make("p", { class: "code", "data-id": "offered" }, code),
    make("div", { class: "row" }, button("back", text("back"), home)),
  );
}

/** Take one purpose back. */
function back(id: string, title: string): HTMLElement {
  const press = button(`withdraw ${id}`, text("takeBack"), () =>
    sure(text("withdrawAsk", { title }), { do: "withdraw", purpose: id }, "withdrawDone"),
  );
  press.setAttribute("aria-label", `${text("takeBack")}: ${title}`);
  return press;
}

function site({ origin, paths, state }: SiteView): Child {
  const patterns = { origins: [patternOf(origin, CHROMIUM)] };
  const on = () => {
    // First the browser's own question: it needs this very press. The panel may close meanwhile.
    const asked = chrome.permissions.request(patterns);
    void askOf({ do: "enable", origin });
    return asked.then((granted) => (granted ? undefined : askOf({ do: "disable", origin }))).then(home);
  };
  const off = () => askOf({ do: "disable", origin }).then(home);
  const which = state === "on" ? "isOn" : state === "off" ? "isOff" : "isPolicy";
  const detail = paths.length > 0 ? `${text("only", { paths: paths.join(", ") })} · ` : "";
  const label = text(state === "on" ? "off" : "on");
  const press = button(`site ${origin}`, label, state === "on" ? off : on);
  press.setAttribute("aria-label", `${label}: ${origin}`);
  return make(
    "li",
    { class: "site", "data-origin": origin, "data-state": state },
    make("span", {}, origin, make("br"), make("span", { class: "soft" }, detail + text(which))),
    ...(state === "policy" ? [] : [press]),
  );
}

function managed({ policy }: View): Child[] {
  if (!policy) return [];
  return [
    make("h2", {}, text("policy")),
    make("p", {}, text("policyText")),
    make("pre", { tabindex: "0", "data-id": "policy" }, JSON.stringify(policy, null, 2)),
  ];
}

Object.assign(go, { home, turnTo });
document.documentElement.lang = language();
document.body.classList.toggle("wide", isTab);
void home().catch((error: Error) => (said.textContent = text("failed", { error: error.message })));
