// Follows the unit: what shines, what passes on the wires, what waits in flash, what it says.

import { showDesk } from "./desk.js";
import { sounding, tone } from "./sound.js";
import { clearTrace, showRows } from "./trace.js";

const $ = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const put = (element, text) => {
  if (element.textContent !== String(text)) element.textContent = text;
};
const make = (name, className, text = "") => {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
};

const SILENCE_MS = 12_000; // the workbench says something every 5 s
const RETRY_MS = 1_500;

// --- the front ------------------------------------------------------------------------------------

function showLight(light) {
  light.ring.forEach((led, i) => {
    const group = $(`[data-led="${i}"]`);
    group.dataset.rgb = led.title;
    $(".lens", group).setAttribute("fill", led.lens || "#22282b");
    $(".glow", group).setAttribute("fill", led.glow || "none");
    $(".glow", group).setAttribute("opacity", led.light);
    $(".spark", group).setAttribute("opacity", led.light);
  });
  $("#lamp").setAttribute("opacity", light.lamp / 255);
  $("#buzzer").dataset.on = light.buzzer ? "yes" : "no";
  put($("#hertz"), light.buzzer ? `${light.buzzer} Hz` : "");
  tone(light.buzzer);
}

function showDisplay(display) {
  for (const path of all(".pixels")) path.setAttribute("d", display.path);
  const words = display.words.join(" ") || "dark";
  $("#display").setAttribute("aria-label", `Display: ${words}`);
  put($("#news"), `Display: ${words}`);
}

// --- vitals ---------------------------------------------------------------------------------------

let since = null;

function showVitals(vitals) {
  since = vitals.since;
  put($("#boot"), vitals.boot ?? "–");
  $("#boot").title = `last reset: ${vitals.reset}`;
  put($("#heap"), vitals.heap === null ? "–" : `${Math.round(vitals.heap / 1024)} KiB`);
  $("#heap").title = `of ${vitals.heap_of / 1024} KiB, where pointers have 64 bits; 112 KB on the chip`;
  $("#heap-meter").value = vitals.heap === null ? 0 : vitals.heap / vitals.heap_of;
  const notice = $("#host-notice");
  notice.hidden = !vitals.ended.length;
  put(notice, vitals.ended.length ? `Ended unexpectedly: ${vitals.ended.join(", ")}. Facts wait in flash; start the workbench again.` : "");
  showUptime();
}

function showUptime() {
  const seconds = since === null ? null : Math.max(0, Math.round((Date.now() - since) / 1000));
  put($("#up"), seconds === null ? "off" : seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`);
}

setInterval(showUptime, 1_000);

// --- flash ----------------------------------------------------------------------------------------

const LANES = { button: ["press", "presses"], ordinary: ["other fact", "other facts"] };
const EMPTY = { button: "Nothing: every press is with the host.", ordinary: "Nothing: everything is with the host." };
const KEYS = new Set(["type", "boot", "seq", "up", "at", "clock"]);

function detail(fact) {
  const rest = Object.entries(fact).filter(([name]) => !KEYS.has(name));
  return rest
    .map(([name, value]) => `${name} ${name === "tag" ? `${value.slice(0, 12)}…` : typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(", ");
}

function factItem(fact) {
  const item = make("li", "fact");
  item.dataset.type = fact.type;
  item.append(make("b", "", fact.type), make("i", "", `boot ${fact.boot} · #${fact.seq}`), make("span", "", detail(fact)));
  return item;
}

function laneSection(lane) {
  const section = make("section", "lane");
  section.dataset.lane = lane.name;
  section.dataset.waiting = lane.waiting ? "yes" : "no";
  section.setAttribute("aria-label", `Lane ${lane.name}: ${lane.waiting} waiting`);
  const head = make("p", "lane-head");
  const dropped = lane.dropped ? `, ${lane.dropped} dropped` : "";
  head.append(make("strong", "", lane.waiting), make("span", "", LANES[lane.name][lane.waiting === 1 ? 0 : 1] + dropped));
  const list = make("ol", "facts");
  list.append(...lane.facts.map(factItem));
  const more = lane.waiting - lane.facts.length;
  if (lane.fault) list.append(make("li", "none", lane.fault));
  else if (!lane.waiting) list.append(make("li", "none", EMPTY[lane.name]));
  else if (more > 0) list.append(make("li", "none", `and ${more} older ones`));
  section.append(head, list);
  return section;
}

const showJournal = (lanes) => $("#lanes").replaceChildren(...lanes.map(laneSection));

// --- the console ----------------------------------------------------------------------------------

const MOST_LINES = 200;
const clock = (at) => new Date(at).toLocaleTimeString("en-GB");

function showConsole({ all: whole, lines }) {
  const list = $("#console");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 30;
  const items = lines.map((line) => {
    const item = make("li", "");
    item.append(make("time", "", clock(line.at)), make("span", "", line.text));
    return item;
  });
  if (whole) list.replaceChildren(...items);
  else list.append(...items);
  while (list.childElementCount > MOST_LINES) list.firstElementChild.remove();
  if (atEnd || whole) list.scrollTop = list.scrollHeight;
}

// --- the stream -----------------------------------------------------------------------------------

let source = null;
let lastHeard = 0;

function showStream(state, text) {
  $("#stream").dataset.state = state;
  put($("#stream-text"), text);
}

function connect() {
  source?.close();
  source = new EventSource("/api/events");
  const on = (kind, show) =>
    source.addEventListener(kind, (event) => {
      lastHeard = Date.now();
      showStream("live", "Live");
      show(JSON.parse(event.data));
    });
  on("light", showLight);
  on("display", showDisplay);
  on("desk", showDesk);
  on("vitals", showVitals);
  on("journal", showJournal);
  on("console", showConsole);
  on("wire", (wire) => {
    if (wire.all) clearTrace();
    showRows(wire.rows);
  });
  on("beat", () => {});
  source.onerror = () => {
    showStream("broken", "Not connected, trying again");
    sounding(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
  };
}

setInterval(() => {
  if (lastHeard && Date.now() - lastHeard > SILENCE_MS && source.readyState === EventSource.OPEN) connect();
}, 1_000);

connect();
