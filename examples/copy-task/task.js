// A copy task: each sentence is a numbered task, so that pauses can be told apart by sentence.
import { ask } from "/static/consent.js";
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

async function question() {
  // The notice whole and the person's choice, in an element that no style or script here reaches into.
  const receipt = await ask(overt, at("ask"));
  if (!receipt) at("state").textContent = (await overt.notice()).notice.declined;
  else {
    const file = new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" });
    const link = Object.assign(document.createElement("a"), {
      href: URL.createObjectURL(file),
      download: "receipt.json",
      textContent: "Keep your receipt: with the code on it you can leave from any device",
    });
    at("state").after(link);
  }
  show();
}

if (overt.state().phase === "none") await question();
else show();
