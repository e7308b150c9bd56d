/** The panel behind the toolbar icon; also a page of its own, in a tab. */

import { asksForPrivacy } from "../../src/signal.ts";
import type { Answer, Command, OutboxView, ShownNotice, SiteView, View } from "./protocol.ts";
import { patternOf } from "./sites.ts";
import { language, text } from "./words.ts";

declare const CHROMIUM: boolean;

type Child = Node | string;
const LOOK_MS = 2000;

/** Make an element; strings become text, never markup. */
function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const main = document.getElementById("main") as HTMLElement;
const said = document.getElementById("said") as HTMLElement;
const isTab = location.hash === "#tab";
let looking = 0;

async function ask<T>(command: Command): Promise<T> {
  const answer = (await chrome.runtime.sendMessage(command)) as Answer<T>;
  if ("error" in answer) throw new Error(answer.error);
  return answer.value;
}

/** A button; what goes wrong is said, and the panel goes on. */
function button(id: string, label: string, work: () => unknown, kind = ""): HTMLButtonElement {
  const made = make("button", { type: "button", class: kind, "data-id": id }, label);
  made.addEventListener("click", () => {
    said.textContent = "";
    made.disabled = true;
    void (async () => work())()
      .catch((error: Error) => (said.textContent = text("failed", { error: error.message })))
      .finally(() => (made.disabled = false));
  });
  return made;
}

/** Show other content, keeping the focus where it was if that is still there. */
function show(...children: Child[]): void {
  const at = document.activeElement?.getAttribute("data-id");
  main.replaceChildren(...children);
  const again = at ? main.querySelector<HTMLElement>(`[data-id="${CSS.escape(at)}"]`) : null;
  again?.focus();
}

function enter(...children: Child[]): void {
  window.clearInterval(looking);
  main.replaceChildren(...children);
  main.focus();
  window.scrollTo(0, 0);
}

async function home(): Promise<void> {
  window.clearInterval(looking);
  let before = "";
  const look = async () => {
    const view = await ask<View>({ do: "view" });
    const now = JSON.stringify(view);
    if (now === before) return;
    before = now;
    show(...(view.joined ? member(view.joined) : stranger()), ...managed(view));
  };
  looking = window.setInterval(() => void look().catch(() => undefined), LOOK_MS);
  await look();
}

function stranger(): Child[] {
  const address = make("input", { type: "url", id: "address", name: "address", "data-id": "address" });
  address.setAttribute("placeholder", "https://…/study/…");
  const read = () => fetched(address.value);
  const form = make(
    "form",
    {},
    make("label", { for: "address" }, text("address")),
    address,
    make("div", { class: "row" }, button("read", text("read"), read, "main"), tabLink()),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.querySelector<HTMLButtonElement>("[data-id=read]")?.click();
  });
  return [
    make("h1", {}, text("joinHeading")),
    make("p", {}, text("joinText")),
    ...(asksForPrivacy() ? [make("p", { class: "soft" }, text("joinPrivacy"))] : []),
    form,
  ];
}

/** Show the notice in the first of the person's languages that the study has, else in ours. */
async function fetched(address: string): Promise<void> {
  const own = [chrome.i18n.getUILanguage(), ...navigator.languages];
  const all = own.flatMap((tag) => [tag, tag.split("-")[0] ?? tag]);
  let failed: unknown;
  for (const lang of new Set([...all.slice(0, 8), language(), "en", "de"])) {
    try {
      return notice(await ask<ShownNotice>({ do: "notice", address, lang }));
    } catch (error) {
      failed ??= error;
    }
  }
  throw failed;
}

function tabLink(): Child {
  if (isTab) return "";
  return button("tab", text("tab"), () => void window.open(chrome.runtime.getURL("panel.html#tab")));
}

interface Section {
  heading: string;
  text: string[];
}

/** The notice, whole and as the server sent it, then the person's choice. Nothing is preselected. */
function notice({ server, notice: sent, sha256 }: ShownNotice): void {
  const sections = sent["sections"] as Section[];
  const { purposes, details } = sent.choices;
  const own = sent.choices as unknown as { heading: string; text: string[] };
  const choice = (type: string, name: string, one: { id: string; title: string; text: string }) =>
    make(
      "label",
      { class: "choice" },
      make("input", { type, name, value: one.id }),
      make("span", {}, make("strong", {}, one.title), make("br"), one.text),
    );
  const form = make("form");
  const chosen = (name: string) =>
    [...form.querySelectorAll<HTMLInputElement>(`[name=${name}]:checked`)].map(({ value }) => value);
  const join = async () => {
    const picked = chosen("purpose");
    const [detail] = chosen("detail");
    const missing = picked.length === 0 ? "purpose" : details.levels[0] && !detail ? "detail" : "";
    if (missing) {
      said.textContent = text(missing === "purpose" ? "chooseOne" : "chooseHow");
      form.querySelector<HTMLInputElement>(`[name=${missing}]`)?.focus();
      return;
    }
    await ask({ do: "join", purposes: picked, ...(detail ? { detail } : {}) });
    await home();
    main.focus();
  };
  form.append(
    make(
      "fieldset",
      {},
      make("legend", {}, own.heading),
      ...own.text.map((line) => make("p", { class: "soft" }, line)),
      ...purposes.map((one) => choice("checkbox", "purpose", one)),
    ),
    ...(details.levels.length > 0
      ? [
          make(
            "fieldset",
            {},
            make("legend", {}, details.heading),
            ...details.levels.map((one) => choice("radio", "detail", one)),
          ),
        ]
      : []),
    make(
      "div",
      { class: "row" },
      button("join", String(sent["join"]), join, "main"),
      button("decline", String(sent["decline"]), home, "main"),
    ),
  );
  form.addEventListener("submit", (event) => event.preventDefault());
  enter(
    make(
      "article",
      { class: "notice", lang: String(sent["language"]), dir: sent.direction },
      make("h1", {}, sent.title),
      make("p", {}, String(sent["about"])),
      make("p", { class: "soft" }, `${String(sent["controller"])} · ${String(sent["contact"])}`),
      ...sections.flatMap(({ heading, text }) => [
        make("h2", {}, heading),
        make("ul", {}, ...text.map((line) => make("li", {}, line))),
      ]),
      form,
    ),
    make("p", { class: "soft" }, text("from", { server }), " · ", text("hash")),
    make("code", { "data-id": "hash" }, sha256),
  );
}

type Joined = NonNullable<View["joined"]>;

function member(joined: Joined): Child[] {
  const anyOn = joined.sites.some(({ state }) => state === "on");
  const halted = joined.leaving || joined.stale;
  const recording = !halted && !joined.paused && anyOn;
  const state = joined.leaving
    ? text("stateLeaving")
    : joined.stale
      ? text("stateStale")
      : joined.paused
        ? text("statePaused")
        : text(anyOn ? "stateOn" : "stateNoSite");
  const toggle = button(
    "toggle",
    text(joined.paused ? "resumeDo" : "pauseDo"),
    () => ask({ do: joined.paused ? "resume" : "pause" }).then(home),
    "main",
  );
  const address = `${joined.server}/study/${joined.study}`;
  const reread = button(
    "reread",
    text("reread"),
    () => fetched(address),
    "main",
  );
  const pair = (name: string, value: string) => [make("dt", {}, name), make("dd", {}, value)];
  return [
    make("h1", {}, joined.title),
    make("p", { class: recording ? "state on" : "state", "data-id": "state" }, state),
    ...(joined.offline ? [make("p", { "data-id": "offline" }, text("offline"))] : []),
    make("div", { class: "row" }, ...(joined.stale ? [reread] : halted ? [] : [toggle]), tabLink()),
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
      button("leave", text("leave"), () => sure(text("leaveAsk"), { do: "leave" }, "leaveDone"), "stop"),
    ),
  ];
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
    void ask({ do: "enable", origin });
    return asked.then((granted) => (granted ? undefined : ask({ do: "disable", origin }))).then(home);
  };
  const off = () => ask({ do: "disable", origin }).then(home);
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

type Done = "hourDone" | "leaveDone" | "withdrawDone";

/** Ask once more, then do it and say how it went. */
function sure(question: string, command: Command, done: Done): void {
  const yes = button(
    "yes",
    text("yes"),
    async () => {
      const told = await ask(command);
      await home();
      main.focus();
      said.textContent = text(told !== false ? done : command.do === "leave" ? "stateLeaving" : "withdrawLater");
    },
    "stop",
  );
  enter(
    make("h1", {}, question),
    make("div", { class: "row" }, yes, button("no", text("no"), home)),
  );
}

/** Show the receipt, or all that the server has; and offer it as a file. */
async function document_(which: "receipt" | "export"): Promise<void> {
  const whole = JSON.stringify(await ask({ do: which }), null, 2);
  const href = URL.createObjectURL(new Blob([whole], { type: "application/json" }));
  enter(
    make("h1", {}, text(which)),
    make(
      "div",
      { class: "row" },
      button("back", text("back"), home),
      make("a", { href, download: `overt-${which}.json` }, text("save")),
    ),
    make("pre", { tabindex: "0", "data-id": "document" }, whole),
  );
}

async function outbox(): Promise<void> {
  const entries = await ask<OutboxView>({ do: "outbox" });
  const time = (ms: number) => new Date(ms).toLocaleTimeString(language());
  const packet = (entry: OutboxView[number]) => {
    const { events, rows, bytes, sent, id } = entry;
    const lines = events.map((one) => `${(one.t_us / 1e6).toFixed(3)} s  ${one.text}`).join("\n");
    const summary = text("packet", { time: time(entry.closed_ms), events: rows, bytes });
    const when = sent ? text("sentOnce") : text("leaves", { time: time(entry.due_ms) });
    const remove = button(`remove ${id}`, text("remove"), () => ask({ do: "remove", id }).then(outbox));
    return make(
      "li",
      { class: "packet" },
      make("span", {}, summary, make("br"), make("span", { class: "soft" }, when)),
      remove,
      make("details", {}, make("summary", {}, entry.purposes.join(", ")), make("pre", { tabindex: "0" }, lines)),
    );
  };
  enter(
    make("h1", {}, text("outboxHeading")),
    make("p", { class: "soft" }, text(entries.length > 0 ? "outboxText" : "outboxEmpty")),
    make(
      "div",
      { class: "row" },
      button("back", text("back"), home),
      button("send", text("send"), () => ask({ do: "send" }).then(outbox)),
    ),
    make("ul", {}, ...entries.map(packet)),
  );
}

document.documentElement.lang = language();
document.body.classList.toggle("wide", isTab);
void home().catch((error: Error) => (said.textContent = text("failed", { error: error.message })));
