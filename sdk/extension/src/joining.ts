/** Taking part: the address, the notice as the server sent it, and the person's own choice. */

import { asksForPrivacy } from "../../src/signal.ts";
import { type Child, make } from "../../src/make.ts";
import { ask, button, enter, go, said, tabLink } from "./dom.ts";
import { codeIn } from "./pairing.ts";
import type { ShownNotice } from "./protocol.ts";
import { language, text } from "./words.ts";

/** `more`: somebody who takes part in another study already. */
export function stranger(more = false): Child[] {
  const address = make("input", { type: "url", id: "address", name: "address", "data-id": "address" });
  address.setAttribute("placeholder", "https://…/study/…");
  const read = () => fetched(address.value);
  const form = make(
    "form",
    {},
    make("label", { for: "address" }, text("address")),
    address,
    make(
      "div",
      { class: "row" },
      button("read", text("read"), read, "main"),
      ...(more ? [button("back", text("back"), () => go.home())] : [tabLink()]),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.querySelector<HTMLButtonElement>("[data-id=read]")?.click();
  });
  return [
    make("h1", {}, text("joinHeading")),
    make("p", {}, text(more ? "joinMore" : "joinText")),
    ...(asksForPrivacy() ? [make("p", { class: "soft" }, text("joinPrivacy"))] : []),
    form,
  ];
}

/** Show the notice in the first of the person's languages that the study has, else in ours. */
export async function fetched(address: string): Promise<void> {
  const own = [chrome.i18n.getUILanguage(), ...navigator.languages];
  const all = own.flatMap((tag) => [tag, tag.split("-")[0] ?? tag]);
  let failed: unknown;
  for (const lang of new Set([...all.slice(0, 8), language(), "en", "de"])) {
    try {
      return notice(await ask<ShownNotice>({ do: "notice", address, lang }), codeIn(address));
    } catch (error) {
      failed ??= error;
    }
  }
  throw failed;
}

interface Section {
  heading: string;
  text: string[];
}

/** The notice, whole and as the server sent it, then the person's choice. Nothing is preselected. */
function notice({ server, notice: sent, sha256 }: ShownNotice, code: string): void {
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
    await go.turnTo(`${server}/study/${sent.study}`);
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
      button("decline", String(sent["decline"]), () => go.home(), "main"),
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
    paired(`${server}/study/${sent.study}`, code),
    make("p", { class: "soft" }, text("from", { server }), " · ", text("hash")),
    make("code", { "data-id": "hash" }, sha256),
  );
}

/** For who takes part on another device already: its code, in place of choosing again. */
function paired(address: string, code: string): HTMLElement {
  const input = make("input", { id: "code", name: "code", "data-id": "code", autocomplete: "off" });
  input.value = code;
  const take = async () => {
    await ask({ do: "pair", code: input.value });
    await go.turnTo(address);
  };
  const form = make(
    "form",
    {},
    make("label", { for: "code" }, text("code")),
    input,
    make("div", { class: "row" }, button("pair", text("pair"), take, "main")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.querySelector<HTMLButtonElement>("[data-id=pair]")?.click();
  });
  const parts = [make("summary", {}, text("pairHeading")), make("p", { class: "soft" }, text("pairText"))];
  const made = make("details", { "data-id": "pairing" }, ...parts, form);
  made.open = code !== "";
  return made;
}
