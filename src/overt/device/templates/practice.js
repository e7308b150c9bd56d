// Exercises that answer while one types. All of it stays in this page: it can ask and tell nobody.
const practice = document.getElementById("practice");
const { lines, said } = practice.dataset;
const LINES = JSON.parse(lines);
const SAID = JSON.parse(said);
const LOOK_AGAIN_MS = 30_000;
const STRIP_MS_MAX = 600;
const SVG = "http://www.w3.org/2000/svg";

const part = (name) => practice.querySelector(`[data-part=${name}]`);
const [place, line, field, live, result, strip, again, next] = [
  "place", "line", "field", "live", "result", "strip", "again", "next",
].map(part);
const fill = (text, values) => text.replace(/{(\w+)}/g, (_, name) => values[name]);
const whole = (value) => Math.round(value).toLocaleString(document.documentElement.lang);

let at = 0;
/** Of the line being typed: when each character came, and how many were wrong when they came. */
let times = [];
let slips = 0;
let before = "";

const exercise = () => LINES[at];
const isDone = () => before.length >= exercise().words.length && before === exercise().words;

function begin(number) {
  at = (number + LINES.length) % LINES.length;
  [times, slips, before] = [[], 0, ""];
  field.value = "";
  field.maxLength = exercise().words.length;
  line.replaceChildren(
    ...[...exercise().words].map((character) => {
      const span = document.createElement("span");
      span.textContent = character;
      return span;
    }),
  );
  place.textContent = fill(SAID.place, { n: at + 1, count: LINES.length, pair: exercise().letters });
  live.textContent = SAID.start;
  result.textContent = "";
  next.hidden = again.hidden = true;
  strip.replaceChildren();
  show();
}

function show() {
  const words = exercise().words;
  [...line.children].forEach((span, k) => {
    const typed = before[k];
    span.className = typed === undefined ? (k === before.length ? "at" : "") : typed === words[k] ? "right" : "wrong";
  });
}

/** Words a minute, of five keys each, from the first key to the last. */
const speed = () => {
  const known = times.filter((time) => time !== undefined);
  const ms = known.at(-1) - known[0];
  return ms > 0 ? ((known.length - 1) / 5 / ms) * 60_000 : 0;
};

const ofPair = (k) => exercise().words.slice(k - 1, k + 1).toLowerCase() === exercise().letters;

function draw(k, ms) {
  const wide = 1000 / exercise().words.length;
  const high = (100 * Math.min(ms, STRIP_MS_MAX)) / STRIP_MS_MAX;
  const bar = document.createElementNS(SVG, "rect");
  const sizes = { x: k * wide + 1, y: 100 - high, width: Math.max(1, wide - 2), height: high, rx: 2 };
  for (const [name, value] of Object.entries(sizes)) bar.setAttribute(name, value.toFixed(1));
  bar.setAttribute("class", ofPair(k) ? "of-pair" : "key");
  const title = document.createElementNS(SVG, "title");
  title.textContent = fill(SAID.key, { ms: whole(ms) });
  bar.append(title);
  strip.append(bar);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function finish() {
  const form = slips === 0 ? SAID.clean : slips === 1 ? SAID.done_one : SAID.done;
  const found = [fill(form, { speed: whole(speed()), slips })];
  const gaps = times.map((time, k) => (ofPair(k) ? time - times[k - 1] : NaN)).filter((ms) => ms > 0);
  if (gaps.length > 0) {
    const { letters, usual_ms } = exercise();
    const values = { pair: letters, ms: whole(median(gaps)), usual: whole(usual_ms ?? 0) };
    found.push(fill(usual_ms === null ? SAID.pair : SAID.pair_usual, values));
  }
  live.textContent = "";
  result.textContent = found.join(" ");
  next.hidden = again.hidden = false;
}

field.addEventListener("input", () => {
  const now = performance.now();
  const words = exercise().words;
  for (let k = before.length; k < field.value.length; k += 1) {
    const isOne = k === field.value.length - 1;
    times[k] = isOne ? now : undefined;
    if (field.value[k] !== words[k]) slips += 1;
    else if (isOne && times[k - 1] !== undefined) draw(k, now - times[k - 1]);
  }
  before = field.value;
  show();
  if (isDone()) return finish();
  if (times.length > 1)
    live.textContent = fill(slips === 1 ? SAID.live_one : SAID.live, { speed: whole(speed()), slips });
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && isDone()) begin(at + 1);
  else if (event.key === "Escape") begin(at);
});
for (const type of ["paste", "drop"]) field.addEventListener(type, (event) => event.preventDefault());
for (const [button, step] of [[next, 1], [again, 0]])
  button.addEventListener("click", () => {
    begin(at + step);
    field.focus();
  });

practice.hidden = false;
begin(0);
setInterval(() => {
  if (before === "" && document.activeElement !== field) location.reload();
}, LOOK_AGAIN_MS);
