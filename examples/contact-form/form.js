// Person or program before a message is sent, for those who let their browser look; for everybody
// else one of the association reads first. Nobody is kept out, and both ways take one press.
import { asksForPrivacy, open } from "/static/overt.js";
import { judging } from "/static/person-or-program.js";

const PURPOSE = "person-or-program";
const at = (id) => document.getElementById(id);
const element = (tag, textContent) => Object.assign(document.createElement(tag), { textContent });
const SAID = {
  person: "Your browser says: this looks like a person. It will say so with your message.",
  other: "Your browser cannot tell. One of us reads your message first.",
};

const overt = await open({ study: "contact-form", lang: document.documentElement.lang });
/** What the model in this page says, as soon as somebody lets it look. */
let judge = null;

overt.onChange(show);
show();
if (overt.state().phase !== "none") judge = await judging(overt);
// A browser that says "do not track me" has answered already: the offer stays a quiet one.
else if (!asksForPrivacy()) await ask();
else at("offer").hidden = false;

at("offer").addEventListener("click", ask);
at("leave").addEventListener("click", async () => {
  judge?.end();
  judge = null;
  await overt.withdraw();
});
at("form").addEventListener("submit", () => {
  at("looked").value = judge?.said() ?? "";
});
at("form").addEventListener("input", () => {
  if (judge) at("state").textContent = judge.said() === "person" ? SAID.person : SAID.other;
});

function show() {
  const { phase } = overt.state();
  at("leave").hidden = phase === "none" || phase === "off";
  if (phase === "off") at("looked").value = "";
}

async function ask() {
  at("offer").hidden = true;
  const { notice } = await overt.notice();
  Object.assign(at("ask"), { lang: notice.language, dir: notice.direction });
  at("ask-h").textContent = notice.title;
  at("about").textContent = notice.about;
  const parts = notice.sections.flatMap(({ heading, text }) => [
    element("h3", heading),
    ...text.map((line) => element("p", line)),
  ]);
  // One purpose, and how exactly is the person's choice: so each choice is one button.
  for (const { title, text } of [...notice.choices.purposes, ...notice.choices.details.levels])
    parts.push(element("h3", title), element("p", text));
  at("notice").replaceChildren(...parts);
  at("no").textContent = notice.decline;
  const buttons = notice.choices.details.levels.map((level) => {
    const button = element("button", `${notice.choices.purposes[0].title}: ${level.title}`);
    button.type = "button";
    button.dataset.detail = level.id;
    button.addEventListener("click", () => join(level.id));
    return button;
  });
  at("no").parentElement.replaceChildren(at("no"), ...buttons);
  at("no").addEventListener("click", () => {
    at("ask").hidden = true;
    at("state").textContent = notice.declined;
    at("from").focus();
  });
  at("ask").hidden = false;
}

async function join(detail) {
  const receipt = await overt.join([PURPOSE], detail);
  at("ask").hidden = true;
  judge = await judging(overt);
  at("state").textContent = SAID.other;
  // Give people their receipt: it holds the recovery code with which they can leave from anywhere.
  const file = new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" });
  const link = element("a", "Keep your receipt");
  Object.assign(link, { href: URL.createObjectURL(file), download: "receipt.json" });
  at("state").after(link);
  at("from").focus();
}
