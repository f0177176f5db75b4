// The trace of the wires: bounded, pausable, filtered; it follows the end unless one scrolls back.

const MOST_ROWS = 300;
const MOST_HELD = 400;

const list = document.querySelector("#trace");
const pause = document.querySelector("#pause");
const rows = new Map();
let held = null; // rows that came while paused, by number

const make = (name, className, text = "") => {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
};
const WAYS = { out: ["→", "from the unit"], in: ["←", "to the unit"], both: ["↔", "both ways"] };
const time = (at) => `${new Date(at).toLocaleTimeString("en-GB")}.${Math.floor((at % 1000) / 100)}`;

function build(row) {
  const item = make("li", "wire fresh");
  item.dataset.bus = row.bus;
  const way = make("span", "way", WAYS[row.way][0]);
  way.title = WAYS[row.way][1];
  item.append(make("time", ""), make("span", "bus", row.bus), way, make("span", "text", row.text), make("span", "count"));
  if (row.payload) item.append(make("span", "payload", row.payload.replaceAll(/,(?=")/g, ", ")));
  if (row.more.length > 1) {
    const details = make("details", "");
    const inside = make("ol", "");
    inside.append(...row.more.map((line) => make("li", "", line)));
    details.append(make("summary", "", `${row.more.length} accesses to registers`), inside);
    details.open = row.count === 1 && !seen.has(row.text);
    item.append(details);
  } else if (row.hex && !row.payload) {
    item.querySelector(".text").append(make("span", "hex", row.hex));
  }
  seen.add(row.text);
  return item;
}

const seen = new Set(); // exchanges whose registers were shown once

function update(item, row) {
  item.querySelector("time").textContent = time(row.at);
  item.querySelector(".count").textContent = row.count > 1 ? `×${row.count}` : "";
}

export function showRows(fresh) {
  if (held) {
    for (const row of fresh) {
      held.delete(row.id);
      held.set(row.id, row);
    }
    while (held.size > MOST_HELD) held.delete(held.keys().next().value);
    pause.textContent = `Go on (${held.size})`;
    return;
  }
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  for (const row of fresh) {
    let item = rows.get(row.id);
    if (!item) {
      item = build(row);
      rows.set(row.id, item);
      list.append(item);
    }
    update(item, row);
  }
  while (rows.size > MOST_ROWS) {
    const [id, item] = rows.entries().next().value;
    rows.delete(id);
    item.remove();
  }
  if (atEnd) list.scrollTop = list.scrollHeight;
}

export function clearTrace() {
  rows.clear();
  list.replaceChildren();
  if (held) held.clear();
}

pause.addEventListener("click", () => {
  const came = held;
  held = held ? null : new Map();
  pause.setAttribute("aria-pressed", String(held !== null));
  pause.textContent = held ? "Go on" : "Pause";
  if (came) showRows([...came.values()].sort((a, b) => a.id - b.id));
});

document.querySelector("#clear").addEventListener("click", clearTrace);

for (const box of document.querySelectorAll("[data-filter]")) {
  box.addEventListener("change", () => {
    list.classList.toggle(`no-${box.dataset.filter}`, !box.checked);
    list.scrollTop = list.scrollHeight;
  });
}
