// Who joins is offered the next word and the slip put right, by the study's own model, in this page.
import { ask } from "/static/consent.js";
import { open } from "/static/overt.js";

const at = (id) => document.getElementById(id);
const text = at("text");
const overt = await open({ study: "writing-help", lang: document.documentElement.lang });
let writing = null;

/** What is offered: up to three words, and one slip; nothing is put there without a press. */
function show({ words, slip, hasModel }) {
  at("words").replaceChildren(
    ...words.map((word) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: word });
      button.addEventListener("click", () => writing.take(word));
      return button;
    }),
  );
  at("slip").textContent = slip ? `${slip.slip} → ${slip.put}` : "";
  at("put").hidden = !slip;
  at("put").textContent = slip?.done ? "Take it back" : "Put it there";
  at("from").textContent = hasModel ? "Offered by what people in this study write, and by your own words." : "";
}
at("put").addEventListener("click", () => writing.put());

overt.onChange(async ({ phase, reason, purposes }) => {
  at("state").textContent = phase === "none" ? "Nothing is recorded." : `${phase} ${reason}`.trim();
  if (writing || !purposes.includes("text-assist")) return;
  writing = {}; // loaded once, and only for people who chose it
  const { assist } = await import("/static/text-assist.js");
  writing = assist(overt, text, show);
});

// A person who said no writes on without; nothing of the help is fetched for them.
if (overt.state().phase === "none") {
  const receipt = await ask(overt, at("ask"));
  if (!receipt) at("state").textContent = (await overt.notice()).notice.declined;
  else {
    const file = new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" });
    const link = { href: URL.createObjectURL(file), download: "receipt.json", textContent: "Keep your receipt" };
    at("state").after(Object.assign(document.createElement("a"), link));
  }
}
