// What a person at the desk does: cards, button, seat, plug, network, broken chips.

import { card, command, inOrder, say } from "./send.js";

const $ = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

const unit = $(".unit");

// --- cards: click to tap; drag onto the reader to hold there --------------------------------------

const DRAG_PX = 6;
const reader = $("#reader");

function overReader(x, y) {
  const box = $(".pad", reader).getBoundingClientRect();
  return x > box.left - 12 && x < box.right + 12 && y > box.top - 12 && y < box.bottom + 12;
}

async function tap(button) {
  button.classList.remove("tapping");
  void button.offsetWidth; // so that the animation begins anew
  button.classList.add("tapping");
  await card(button.dataset.card, "tap");
}

function lift(button, down) {
  let dragged = false;
  let there = false;
  let moving = Promise.resolve();
  const put = (deed) => (moving = moving.then(() => card(button.dataset.card, deed)));
  const move = (event) => {
    const [dx, dy] = [event.clientX - down.clientX, event.clientY - down.clientY];
    if (!dragged && Math.hypot(dx, dy) < DRAG_PX) return;
    dragged = true;
    button.classList.add("dragged");
    button.style.transform = `translate(${dx}px, ${dy}px) rotate(-3deg)`;
    reader.dataset.aim = "yes";
    const over = overReader(event.clientX, event.clientY);
    if (over !== there) put(over ? "put" : "take");
    there = over;
  };
  const drop = async () => {
    button.removeEventListener("pointermove", move);
    button.removeEventListener("pointerup", drop);
    button.removeEventListener("pointercancel", drop);
    button.classList.remove("dragged");
    button.style.transform = "";
    delete reader.dataset.aim;
    if (there) {
      await wait(250); // long enough to be read, however quick the hand was
      put("take");
    }
    button.dataset.dragged = dragged ? "yes" : "no";
  };
  button.setPointerCapture(down.pointerId);
  button.addEventListener("pointermove", move);
  button.addEventListener("pointerup", drop);
  button.addEventListener("pointercancel", drop);
}

for (const button of all(".card")) {
  button.addEventListener("pointerdown", (event) => event.button === 0 && lift(button, event));
  button.addEventListener("click", () => {
    if (button.dataset.dragged === "yes") button.dataset.dragged = "no";
    else tap(button);
  });
  button.addEventListener("animationend", () => button.classList.remove("tapping"));
}

// --- the button: down as long as the pointer or the key is down -----------------------------------

const button = $("#button");
let finger = false;

function press(down) {
  if (finger === down) return;
  finger = down;
  button.setAttribute("aria-pressed", String(down));
  inOrder({ button: down ? "down" : "up" });
}

button.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  button.setPointerCapture(event.pointerId);
  press(true);
});
for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
  button.addEventListener(end, () => press(false));
}
button.addEventListener("keydown", (event) => {
  if (event.key !== " " && event.key !== "Enter") return;
  event.preventDefault();
  if (!event.repeat) press(true);
});
button.addEventListener("keyup", (event) => {
  if (event.key === " " || event.key === "Enter") press(false);
});
button.addEventListener("blur", () => press(false));
addEventListener("pagehide", () => press(false));

const GESTURES = { short: [150], long: [2_500], hammer: [90, 90, 90, 90, 90] };

for (const act of all("[data-press]")) {
  act.addEventListener("click", async () => {
    for (const ms of GESTURES[act.dataset.press]) {
      press(true);
      await wait(ms);
      press(false);
      await wait(110);
    }
  });
}

// --- the seat -------------------------------------------------------------------------------------

const cm = $("#cm");
const person = $("#person");
const PX_PER_CM = 1.35;
const SENSOR_X = 52;
const TELL_MS = 120;
let telling = 0;

export function showSeat(state, distance) {
  $("#radar").dataset.seat = state;
  const radio = $(`input[name="seat"][value="${state === "both" ? "moving" : state}"]`);
  if (radio) radio.checked = true;
  if (state !== "none" && !telling) cm.value = distance;
  place();
}

function place() {
  $("#cm-text").textContent = `${cm.value} cm`;
  person.setAttribute("transform", `translate(${SENSOR_X + PX_PER_CM * cm.value} 390)`);
}

function tellSeat() {
  const state = $('input[name="seat"]:checked').value;
  $("#radar").dataset.seat = state;
  place();
  clearTimeout(telling);
  telling = setTimeout(async () => {
    await command({ radar: { state, cm: Number(cm.value) } });
    telling = 0;
  }, TELL_MS);
}

cm.addEventListener("input", tellSeat);
for (const radio of all('input[name="seat"]')) radio.addEventListener("change", tellSeat);

person.addEventListener("pointerdown", (down) => {
  person.setPointerCapture(down.pointerId);
  const move = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY);
    const x = point.matrixTransform(unit.getScreenCTM().inverse()).x;
    cm.value = (x - SENSOR_X) / PX_PER_CM;
    tellSeat();
  };
  const end = () => person.removeEventListener("pointermove", move);
  person.addEventListener("pointermove", move);
  person.addEventListener("pointerup", end, { once: true });
  person.addEventListener("pointercancel", end, { once: true });
});

// --- plug, network, chips -------------------------------------------------------------------------

const power = $("#power");
const network = $("#network");

function toggle(act, off, on) {
  act.addEventListener("click", async () => {
    const present = act.getAttribute("aria-pressed") === "true";
    act.disabled = true;
    await command(present ? off : on);
    act.disabled = false;
    act.focus();
  });
}

toggle(power, { power: "cut" }, { power: "on" });
toggle(network, { network: "lost" }, { network: "back" });

const plug = $("#plug");
plug.addEventListener("click", () => power.click());
plug.addEventListener("keydown", (event) => {
  if (event.key !== " " && event.key !== "Enter") return;
  event.preventDefault();
  power.click();
});

for (const select of all("[data-chip]")) {
  select.addEventListener("change", () =>
    command({ fault: { chip: select.dataset.chip, kind: select.value } }),
  );
}

$("#flash-cut").addEventListener("click", async () => {
  const planned = await command({ fault: { chip: "flash", kind: "cut", after: 20 } });
  if (planned) say("The power will fail 20 bytes into the next write to flash: press the button.");
});

// --- what the stream says about all this ----------------------------------------------------------

const LYING = "13.56 MHz reader";

export function showDesk(desk) {
  unit.dataset.powered = desk.powered ? "yes" : "no";
  unit.dataset.air = desk.air ? "yes" : "no";
  power.setAttribute("aria-pressed", String(desk.powered));
  power.textContent = desk.powered ? "Pull the plug" : "Plug in";
  network.setAttribute("aria-pressed", String(desk.air));
  network.textContent = desk.air ? "Cut the network" : "Bring it back";
  if (!telling) showSeat(...desk.radar);
  if (!finger) button.setAttribute("aria-pressed", String(desk.finger));
  for (const select of all("[data-chip]")) {
    select.value = desk.faults[select.dataset.chip] ?? "none";
    select.dataset.broken = select.value === "none" ? "no" : "yes";
  }
  reader.dataset.card = desk.cards.length ? "yes" : "no";
  const label = desk.cards[0] && $(`[data-card="${desk.cards[0]}"] .card-label`);
  $("#lying").textContent = label?.textContent ?? (desk.cards.length ? "a card" : LYING);
}
