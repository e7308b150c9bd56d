// The least a site needs: show the notice exactly as it came, let the person choose, record.
import { asksForPrivacy, open } from "/static/overt.js";

const at = (id) => document.getElementById(id);
const overt = await open({ study: "site-example", lang: document.documentElement.lang });
overt.onChange(({ phase, reason }) => {
  at("state").textContent = phase === "none" ? "Nothing is recorded." : `${phase} ${reason}`.trim();
});
at("comment").addEventListener("submit", (event) => event.preventDefault());

async function ask() {
  at("offer").hidden = true;
  const { notice } = await overt.notice();
  Object.assign(at("ask"), { lang: notice.language, dir: notice.direction });
  at("ask-h").textContent = notice.title;
  for (const { heading, text } of notice.sections) {
    const title = document.createElement("h3");
    title.textContent = heading;
    at("notice").append(title, ...text.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  }
  for (const purpose of notice.choices.purposes) {
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: purpose.id });
    label.append(box, ` ${purpose.title}: ${purpose.text}`);
    at("choices").append(label);
  }
  // How exactly is the person's choice too; neither is chosen for them.
  for (const level of notice.choices.details.levels) {
    const label = document.createElement("label");
    const one = Object.assign(document.createElement("input"), { type: "radio", name: "detail", value: level.id });
    label.append(one, ` ${level.title}: ${level.text}`);
    at("choices").append(label);
  }
  at("yes").textContent = notice.join;
  at("no").textContent = notice.decline;
  at("ask").hidden = false;
  at("no").addEventListener("click", () => {
    at("ask").hidden = true;
    at("state").textContent = notice.declined;
  });
  at("yes").addEventListener("click", async () => {
    const purposes = [...at("choices").querySelectorAll("[type=checkbox]:checked")].map((box) => box.value);
    const detail = at("choices").querySelector("[type=radio]:checked")?.value;
    if (purposes.length === 0 || !detail) return void at("choices").querySelector("input").focus();
    const receipt = await overt.join(purposes, detail);
    at("ask").hidden = true;
    // Give people their receipt: it holds the recovery code with which they can leave from anywhere.
    const file = new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" });
    const link = Object.assign(document.createElement("a"), {
      href: URL.createObjectURL(file), download: "receipt.json", textContent: "Keep your receipt",
    });
    at("state").after(link);
  });
}

// A browser that says "do not track or share me" has answered already: the offer stays a quiet one.
if (overt.state().phase === "none" && !asksForPrivacy()) await ask();
else at("offer").hidden = overt.state().phase !== "none";
at("offer").addEventListener("click", ask);
