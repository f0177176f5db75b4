// The buzzer, for ears: off until somebody switches it on, as browsers want it.

const VOLUME = 0.05;

const box = document.querySelector("#sound");
let context = null;
let oscillator = null;
let gain = null;
let hertz = 0;

function begin() {
  context = new AudioContext();
  oscillator = context.createOscillator();
  oscillator.type = "square"; // what a pin makes of a piezo
  gain = context.createGain();
  gain.gain.value = 0;
  oscillator.connect(gain).connect(context.destination);
  oscillator.start();
}

function apply() {
  if (!context) return;
  if (hertz) oscillator.frequency.setValueAtTime(hertz, context.currentTime);
  gain.gain.setTargetAtTime(box.checked && hertz ? VOLUME : 0, context.currentTime, 0.003);
}

export function tone(value) {
  hertz = value;
  apply();
}

export function sounding(on) {
  if (!on) tone(0);
}

box.addEventListener("change", () => {
  if (box.checked && !context) begin();
  apply();
});
