// Sends commands to the unit, one after the other, and says what was refused.

const said = document.querySelector("#said");
let queue = Promise.resolve();
let clearing = 0;

export function say(text, kind = "") {
  said.dataset.kind = kind;
  said.textContent = text;
  clearTimeout(clearing);
  clearing = setTimeout(() => (said.textContent = ""), kind === "error" ? 8_000 : 4_000);
}

async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      keepalive: true, // a finger is lifted also when the page goes
    });
    const reply = await response.json();
    if (reply.error) say(reply.error, "error");
    return !reply.error;
  } catch {
    say("The workbench does not answer; nothing was done. Start it again if it has ended.", "error");
    return false;
  }
}

// A finger's movements keep their order; whatever takes its time does not hold up the others.
export function inOrder(command) {
  queue = queue.then(() => post("/api/commands", command));
  return queue;
}

export const command = (what) => post("/api/commands", what);
export const card = (name, deed) => post(`/api/cards/${encodeURIComponent(name)}/${deed}`, {});
