// Follows the floor: puts what the host tells into the page that the host has drawn.
// The words stand in the page's legend, so there is one list of them only.

const SILENCE_MS = 12_000; // the host says something every 5 s
const RETRY_MS = 3_000;
const FEW = 3; // changes that are read out one by one

const $ = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const put = (element, text) => {
  if (element && element.textContent !== String(text)) element.textContent = text;
};
const clock = (time) => time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

// --- the floor ---------------------------------------------------------------------------------

function roomSection(name) {
  return all(".room[data-room]").find((section) => section.dataset.room === name);
}

function showDesk(section, desk) {
  const group = all(".desk", section).find((each) => each.dataset.desk === desk.name);
  if (!group) return null;
  if (group.dataset.state === desk.state) return false;
  const meaning = $(`.key[data-state="${desk.state}"] .key-meaning`, section).textContent;
  group.dataset.state = desk.state;
  group.setAttribute("aria-label", `Desk ${desk.name}: ${desk.word}`);
  put($("title", group), `Desk ${desk.name}: ${desk.word}, ${meaning}`);
  put($(".word", group), desk.word);
  $("use", group).setAttribute("href", `#icon-${desk.state}`);
  return true;
}

function showCounts(section, room) {
  put($("[data-people]", section), room.people);
  const full = room.cap !== null && room.people >= room.cap;
  $(".people", section).dataset.full = full ? "yes" : "no";
  const meter = $("meter", section);
  if (meter) meter.value = room.people;
  for (const [state, count] of Object.entries(room.counts)) {
    const key = $(`[data-count-of="${state}"]`, section);
    key.dataset.none = count ? "no" : "yes";
    put($(".key-count", key), count);
  }
}

function showFloor(rooms) {
  const changes = [];
  for (const room of rooms) {
    const section = roomSection(room.name);
    const shown = section ? room.desks.map((desk) => [desk, showDesk(section, desk)]) : [];
    if (!section || shown.some(([, changed]) => changed === null)) {
      location.reload(); // the plan itself is another one now
      return;
    }
    showCounts(section, room);
    changes.push(...shown.filter(([, changed]) => changed).map(([desk]) => desk));
  }
  tell(changes);
}

let untold = [];
let telling = 0;

// Gathered for a second: a screen reader must not be flooded.
function tell(changes) {
  untold.push(...changes);
  if (telling || !untold.length) return;
  telling = setTimeout(() => {
    const text =
      untold.length > FEW
        ? `${untold.length} desks have changed`
        : untold.map((desk) => `Desk ${desk.name}: ${desk.word}`).join(". ");
    put($("#news"), text);
    untold = [];
    telling = 0;
  }, 1_000);
}

// --- delivery and health -----------------------------------------------------------------------

function showLedger(ledger) {
  for (const [name, value] of Object.entries({ ...ledger.sum, missing: ledger.missing })) {
    put($(`[data-figure="${name}"]`), value.toLocaleString("en").replaceAll(",", "\u202f"));
  }
  const complete = !ledger.missing && !ledger.sum.unaccounted;
  $("#delivery-lead").dataset.complete = complete ? "yes" : "no";
  put($("#delivery-lead"), complete ? "Every fact is accounted for" : "Something is missing");
  const from = ledger.units ? ` from ${ledger.units} unit${ledger.units === 1 ? "" : "s"}` : "";
  put($("#gap-units"), from + (ledger.dropped ? `, ${ledger.dropped} dropped by full units` : ""));
}

function showHealth(health) {
  const notices = health.parts
    .filter((part) => !part.ok)
    .map((part) => {
      const notice = document.createElement("p");
      notice.className = "notice";
      const name = document.createElement("strong");
      const since = part.since ? `, since ${clock(new Date(part.since))}` : "";
      name.textContent = `The ${part.part} is in trouble${since}. `;
      notice.append(name, part.what);
      return notice;
    });
  $("#health").replaceChildren(...notices);
  const failed = health.parts.find((part) => !part.ok);
  deafSince = failed ? new Date(failed.since ?? deafSince ?? Date.now()) : null;
  showStream();
}

// --- the stream, and the truth about it --------------------------------------------------------

let source = null;
let lastHeard = null;
let brokenSince = null; // the page does not hear the host
let deafSince = null; // the host does not hear the desks

function showStream() {
  const [state, text] = brokenSince
    ? ["broken", `Not live since ${clock(brokenSince)}, reconnecting`]
    : deafSince
      ? ["broken", `Desks not heard since ${clock(deafSince)}`]
      : ["live", "Live"];
  $("#stream").dataset.state = state;
  put($("#stream-text"), text);
  document.body.classList.toggle("stale", state === "broken");
}

function heard() {
  lastHeard = new Date();
  brokenSince = null;
  showStream();
}

function broken() {
  brokenSince ??= lastHeard ?? new Date();
  showStream();
}

function connect() {
  source?.close();
  source = new EventSource("/api/v1/events");
  const on = (kind, show) =>
    source.addEventListener(kind, (event) => {
      heard();
      show(JSON.parse(event.data));
    });
  on("floor", showFloor);
  on("ledger", showLedger);
  on("health", showHealth);
  on("beat", () => {});
  source.onerror = () => {
    broken();
    // The browser gives up after an error page; we don't.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
  };
}

// A connection can die without a word.
setInterval(() => {
  if (lastHeard && new Date() - lastHeard > SILENCE_MS && source.readyState === EventSource.OPEN) {
    broken();
    connect();
  }
}, 1_000);
addEventListener("offline", broken);

// --- the keyboard: one stop for each plan, arrows within it ------------------------------------

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function centre(element) {
  const box = element.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}

function nearest(desks, from, [dx, dy]) {
  const [x, y] = centre(from);
  let best = null;
  for (const desk of desks) {
    const [ax, ay] = centre(desk).map((value, axis) => value - [x, y][axis]);
    const ahead = ax * dx + ay * dy;
    const aside = Math.abs(ax * dy) + Math.abs(ay * dx);
    const cost = ahead + 2 * aside;
    if (ahead > 1 && (!best || cost < best.cost)) best = { desk, cost };
  }
  return best?.desk;
}

for (const plan of all(".plan")) {
  const desks = all(".desk", plan);
  desks.slice(1).forEach((desk) => desk.setAttribute("tabindex", "-1"));
  plan.addEventListener("keydown", (event) => {
    const from = event.target.closest(".desk");
    const to = from && STEPS[event.key] && nearest(desks, from, STEPS[event.key]);
    if (!to) return;
    event.preventDefault();
    from.setAttribute("tabindex", "-1");
    to.setAttribute("tabindex", "0");
    to.focus();
  });
}

connect();
