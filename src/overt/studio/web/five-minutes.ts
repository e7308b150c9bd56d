/** The five-minute page: brings the SDK and the six steps together. */

import { type Overt, open } from "../../../../sdk/src/index.ts";
import { showReceipt, startChoice, startDeclining } from "./choice.ts";
import { at, busy, byTest, say } from "./dom.ts";
import { startLearning } from "./learning.ts";
import { startLeaving } from "./leaving.ts";
import { startMirror } from "./mirror.ts";
import { startProof } from "./proof.ts";
import { RawPresses } from "./raw.ts";
import { startRisk } from "./risk.ts";
import { startTasks } from "./tasks.ts";
import { startWho } from "./who.ts";
import { startWriting } from "./writing.ts";

const STATE_WORDS: Record<string, string> = {
  none: "Not recording",
  recording: "Recording",
  paused: "Paused",
  off: "Off",
};
const REASON_WORDS: Record<string, string> = {
  indicator: "the sign at the top is gone; press Resume to bring it back",
  withdrawn: "you have left",
  notice: "the notice has changed; choose again",
  storage: "this browser lets nothing be kept",
  unsupported: "this browser lacks what is needed",
};

/** Tell for each field whether it may be recorded, as the gate decides. */
function markFields(): void {
  const kept = at("study").dataset.level === "keys" ? "with its letters" : "rhythm only";
  for (const mark of document.querySelectorAll<HTMLElement>("[data-mark-for]")) {
    const field = at(mark.dataset.markFor ?? "");
    const listed = field.matches("[data-overt]");
    mark.classList.add(listed ? "mark-rhythm" : "mark-never");
    mark.textContent = listed ? kept : "never recorded";
  }
}

/** Mark the step that is on screen in the bar. */
function followSteps(): void {
  const links = new Map(
    [...document.querySelectorAll<HTMLAnchorElement>(".steps a")].map((link) => [
      link.hash.slice(1),
      link,
    ]),
  );
  const bar = document.querySelector<HTMLElement>(".steps")!;
  const watcher = new IntersectionObserver(
    (seen) => {
      for (const { isIntersecting, target } of seen) {
        if (!isIntersecting) continue;
        for (const link of links.values()) link.removeAttribute("aria-current");
        const link = links.get(target.id);
        link?.setAttribute("aria-current", "step");
        if (link) bar.scrollLeft = link.offsetLeft - bar.clientWidth / 3;
      }
    },
    { rootMargin: "-25% 0px -70% 0px" },
  );
  for (const id of links.keys()) watcher.observe(at(id));
}

function startPause(overt: Overt, raw: RawPresses): void {
  const button = byTest<HTMLButtonElement>("pause");
  button.addEventListener("click", () =>
    busy(button, async () => {
      if (overt.state().phase === "recording") {
        await overt.pause();
        raw.forget();
      } else {
        await overt.resume();
      }
    }),
  );
}

function showState(overt: Overt): void {
  const { phase, reason, receiptId } = overt.state();
  const shown = byTest("recording-state");
  const why = REASON_WORDS[reason];
  shown.dataset.state = phase;
  const word = STATE_WORDS[phase] ?? phase;
  shown.textContent = word + (why ? `: ${why}` : "");
  at("bar-state").dataset.state = phase;
  at("bar-state").textContent = word;
  const pause = byTest<HTMLButtonElement>("pause");
  pause.hidden = !receiptId || reason === "withdrawn";
  pause.textContent = phase === "recording" ? "Pause" : "Resume";
  const { dataset } = document.body;
  if (receiptId && reason !== "withdrawn") dataset.phase = "joined";
}

async function begin(): Promise<void> {
  markFields();
  followSteps();
  document.body.dataset.phase = "fresh";
  startDeclining();
  const { study = "", lang = "en" } = at("study").dataset;
  const overt = await open({ study, lang });
  const shown = await overt.notice(lang);
  if (shown.sha256 !== at("study").dataset.noticeSha256)
    throw new Error("The notice has changed since this page was made. Please load it again.");
  const raw = new RawPresses();
  startTasks((task) => overt.task(task));
  const mirror = startMirror(overt);
  const risk = startRisk(overt, raw);
  const learning = startLearning(overt);
  const writing = startWriting(overt);
  const who = startWho(overt);
  const proof = startProof(overt);
  const changed = (): void => {
    showState(overt);
    if (overt.state().phase !== "recording") raw.forget();
    mirror.refresh();
    leaving.refresh();
    learning.refresh();
    who.refresh();
    risk.refresh();
    writing.refresh();
    proof.refresh();
  };
  const leaving = startLeaving(overt, changed, (job, all) => {
    if (all) {
      raw.forget();
      mirror.forget();
      learning.forget();
      who.forget();
      document.body.dataset.phase = "left";
      at("joined").hidden = true;
    }
    void proof.follow(job, all);
  });
  startChoice(overt, changed);
  startPause(overt, raw);
  overt.watch((watched) => raw.note(watched));
  overt.onChange(changed);
  window.addEventListener("pagehide", () => raw.forget());
  window.setInterval(() => risk.refresh(), 1000);
  const receipt = await overt.receipt();
  if (receipt) showReceipt(receipt, overt.state().purposes);
  changed();
}

begin().catch((error: unknown) => {
  say(error instanceof Error ? error.message : "The page could not start.");
});
