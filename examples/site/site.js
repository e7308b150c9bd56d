// The least a site needs: let the SDK show the notice and ask, and record who joins.
import { ask } from "/static/consent.js";
import { asksForPrivacy, open } from "/static/overt.js";

const at = (id) => document.getElementById(id);
const overt = await open({ study: "site-example", lang: document.documentElement.lang });
overt.onChange(({ phase, reason }) => {
  at("state").textContent = phase === "none" ? "Nothing is recorded." : `${phase} ${reason}`.trim();
});
at("comment").addEventListener("submit", (event) => event.preventDefault());

async function question() {
  at("offer").hidden = true;
  // The notice whole and the person's choice, in an element that no style or script here reaches into.
  const receipt = await ask(overt, at("ask"));
  if (!receipt) return void (at("state").textContent = (await overt.notice()).notice.declined);
  // Give people their receipt: it holds the recovery code with which they can leave from anywhere.
  const file = new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" });
  const link = Object.assign(document.createElement("a"), {
    href: URL.createObjectURL(file), download: "receipt.json", textContent: "Keep your receipt",
  });
  at("state").after(link);
}

// A browser that says "do not track or share me" has answered already: the offer stays a quiet one.
if (overt.state().phase === "none" && !asksForPrivacy()) await question();
else at("offer").hidden = overt.state().phase !== "none";
at("offer").addEventListener("click", question);
