/** Looking at what there is of a study: outbox, mirror, receipt, export. */

import { make } from "../../src/make.ts";
import { askOf, button, enter, go, keepLooking, main, said } from "./dom.ts";
import type { MirrorView, OfStudy, OutboxView } from "./protocol.ts";
import { language, text } from "./words.ts";

const MIRROR_MS = 500;

type Done = "hourDone" | "leaveDone" | "withdrawDone";

/** Ask once more, then do it and say how it went. */
export function sure(question: string, command: OfStudy, done: Done): void {
  const yes = button(
    "yes",
    text("yes"),
    async () => {
      const told = await askOf(command);
      await go.home();
      main.focus();
      said.textContent = text(told !== false ? done : command.do === "leave" ? "stateLeaving" : "withdrawLater");
    },
    "stop",
  );
  enter(
    make("h1", {}, question),
    make("div", { class: "row" }, yes, button("no", text("no"), () => go.home())),
  );
}

/** Show the receipt, or all that the server has; and offer it as a file. */
export async function document_(which: "receipt" | "export"): Promise<void> {
  const whole = JSON.stringify(await askOf({ do: which }), null, 2);
  const href = URL.createObjectURL(new Blob([whole], { type: "application/json" }));
  enter(
    make("h1", {}, text(which)),
    make(
      "div",
      { class: "row" },
      button("back", text("back"), () => go.home()),
      make("a", { href, download: `overt-${which}.json` }, text("save")),
    ),
    make("pre", { tabindex: "0", "data-id": "document" }, whole),
  );
}

export async function outbox(): Promise<void> {
  const entries = await askOf<OutboxView>({ do: "outbox" });
  const time = (ms: number) => new Date(ms).toLocaleTimeString(language());
  const packet = (entry: OutboxView[number]) => {
    const { events, rows, bytes, sent, id } = entry;
    const lines = events.map((one) => `${(one.t_us / 1e6).toFixed(3)} s  ${one.text}`).join("\n");
    const summary = text("packet", { time: time(entry.closed_ms), events: rows, bytes });
    const when = sent ? text("sentOnce") : text("leaves", { time: time(entry.due_ms) });
    const remove = button(`remove ${id}`, text("remove"), () => askOf({ do: "remove", id }).then(outbox));
    return make(
      "li",
      { class: "packet" },
      make("span", {}, summary, make("br"), make("span", { class: "soft" }, when)),
      remove,
      make("details", {}, make("summary", {}, entry.purposes.join("; ")), make("pre", { tabindex: "0" }, lines)),
    );
  };
  enter(
    make("h1", {}, text("outboxHeading")),
    make("p", { class: "soft" }, text(entries.length > 0 ? "outboxText" : "outboxEmpty")),
    make(
      "div",
      { class: "row" },
      button("back", text("back"), () => go.home()),
      button("send", text("send"), () => askOf({ do: "send" }).then(outbox)),
    ),
    make("ul", {}, ...entries.map(packet)),
  );
}

/** What is recorded at this moment, as it comes: after de-identification, which is all there is. */
export async function mirror(): Promise<void> {
  const list = make("ol", { class: "mirror", "data-id": "mirror", tabindex: "0", "aria-label": text("mirror") });
  const empty = make("p", {}, text("mirrorEmpty"));
  let before = "";
  const look = async () => {
    const events = await askOf<MirrorView>({ do: "mirror" });
    const now = JSON.stringify(events);
    if (now === before) return;
    before = now;
    empty.hidden = events.length > 0;
    const lines = events.map(({ at_ms, text: words, times }) =>
      make(
        "li",
        {},
        make("time", {}, new Date(at_ms).toLocaleTimeString(language())),
        ` ${words}${times > 1 ? ` · ${times} ×` : ""}`,
      ),
    );
    list.replaceChildren(...lines);
  };
  enter(
    make("h1", {}, text("mirror")),
    make("p", { class: "soft" }, text("mirrorText")),
    make("div", { class: "row" }, button("back", text("back"), () => go.home())),
    empty,
    list,
  );
  await keepLooking(look, MIRROR_MS);
}
