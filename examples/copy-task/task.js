// A copy task: each sentence is a numbered task, so that pauses can be told apart by sentence.
import { open } from "/static/overt.js";

const SENTENCES = [
  "The ferry leaves at seven unless the fog is thick.",
  "Nobody knew who had painted the gate yellow.",
  "She keeps the spare key under the third flower pot.",
  "Bring a coat, for the evenings are colder than you think.",
  "Two of the five maps were printed upside down.",
  "After the storm we found the boat in a field.",
];

const at = (id) => document.getElementById(id);
const overt = await open({ study: "copy-task", lang: document.documentElement.lang });
let trial = 0;

function show() {
  const done = trial >= SENTENCES.length;
  at("trial").hidden = done;
  if (done) {
    at("state").textContent = "That was all. Thank you.";
    return;
  }
  overt.task(trial + 1);
  at("place").textContent = `Sentence ${trial + 1} of ${SENTENCES.length}`;
  at("sentence").textContent = SENTENCES[trial];
  at("copy").value = "";
  at("copy").focus();
}

at("trial").addEventListener("submit", (event) => {
  event.preventDefault();
  trial += 1;
  show();
});

async function ask() {
  const { notice } = await overt.notice();
  Object.assign(at("ask"), { lang: notice.language, dir: notice.direction });
  at("ask-h").textContent = notice.title;
  for (const { heading, text } of notice.sections) {
    const title = document.createElement("h3");
    title.textContent = heading;
    const lines = text.map((line) => Object.assign(document.createElement("p"), { textContent: line }));
    at("notice").append(title, ...lines);
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
    show();
  });
  at("yes").addEventListener("click", async () => {
    const purposes = [...at("choices").querySelectorAll("[type=checkbox]:checked")].map((box) => box.value);
    const detail = at("choices").querySelector("[type=radio]:checked")?.value;
    if (purposes.length === 0 || !detail) return void at("choices").querySelector("input").focus();
    const receipt = await overt.join(purposes, detail);
    at("ask").hidden = true;
    const file = new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" });
    const link = Object.assign(document.createElement("a"), {
      href: URL.createObjectURL(file),
      download: "receipt.json",
      textContent: "Keep your receipt: with the code on it you can leave from any device",
    });
    at("state").after(link);
    show();
  });
}

if (overt.state().phase === "none") await ask();
else show();
