/** The sandbox's page: lets its visitor in, listens to the sandbox, and shows what it tells. */

import { placing, showCalls } from "./calls.js";
import { breaking, showDesk } from "./desk.js";
import { Refused, ask, byId, complain, deed, fill, mark, put } from "./dom.js";
import { answering, showPhone } from "./phone.js";
import { clockTime, figure, fullDate, hear, now, stand, tick } from "./time.js";

/** @type {EventSource | null} */
let stream = null;
const RETRY_MS = 2000;
const TICK_MS = 100;

/** Show a whole overview. */
function show(world) {
  hear(world.now, world.speed);
  byId("gate").hidden = true;
  byId("world").hidden = false;
  showClock(world.speed);
  showMinutes(world.balance);
  showPhone(world);
  showCalls(world);
  showDesk(world);
  tick();
}

function showClock(speed) {
  const buttons = [...byId("speeds").querySelectorAll("button")];
  for (const button of buttons) mark(button, "aria-pressed", Number(button.dataset.speed) === speed);
  const named = buttons.some((button) => button.getAttribute("aria-pressed") === "true");
  put(byId("pace"), named ? "" : `, ${figure(speed)}×`);
}

function showMinutes(balance) {
  const used = (balance.used ?? 0) + (balance.welcome_bonus_used ?? 0);
  const reserved = Math.min(balance.reserved ?? 0, balance.remaining);
  put(byId("left"), figure(balance.remaining));
  put(byId("reserved"), `${figure(reserved)} reserved`);
  fill(byId("minutes-bar"), [balance.remaining - reserved, reserved, used]);
  const words = `${figure(balance.remaining)} minutes left, ${figure(reserved)} of them reserved, ${figure(used)} used`;
  mark(byId("minutes-bar"), "aria-label", words);
}

/** Listen until the line is lost, and then again; a browser only retries what it was not refused. */
function listen() {
  stream?.close();
  stream = new EventSource("/sandbox/events");
  stream.addEventListener("message", ({ data }) => {
    put(byId("lost"), "");
    document.body.classList.remove("stale");
    show(JSON.parse(data));
  });
  stream.addEventListener("error", () => {
    stand();
    document.body.classList.add("stale");
    put(byId("lost"), "The connection to the sandbox is lost; trying again.");
    if (stream.readyState === EventSource.CLOSED) setTimeout(enter, RETRY_MS);
  });
}

/** Show the world to those who have a session, and ask the others for a code. */
async function enter() {
  try {
    show(await ask("GET", "overview"));
    listen();
  } catch (refused) {
    if (refused.status === 401) return knock();
    if (!(refused instanceof Refused)) throw refused;
    put(byId("lost"), refused.message);
    setTimeout(enter, RETRY_MS);
  }
}

function knock() {
  stream?.close();
  put(byId("lost"), "");
  byId("world").hidden = true;
  byId("gate").hidden = false;
  byId("code").focus();
}

/** Take the code out of the address at once: it stays in no history and no screenshot. */
async function arrive() {
  const code = location.hash.slice(1);
  if (code && !byId(code)) {
    history.replaceState(null, "", location.pathname);
    await ask("POST", "session", { code }).catch((refused) => complain(refused.message));
  }
  await enter();
}

function gate() {
  const form = byId("admit");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    deed(form, async () => {
      const given = byId("code").value.trim();
      await ask("POST", "session", { code: given.slice(given.indexOf("#") + 1) }); // the whole link is welcome too
      form.reset();
      await enter();
    });
  });
}

/** Set the clock, and show at once where it stands. */
async function wind(change) {
  const told = await ask("POST", "clock", change);
  hear(told.now, told.speed);
  showClock(told.speed);
}

function steering() {
  byId("speeds").addEventListener("click", ({ target }) => {
    const { speed } = target.dataset;
    if (speed) deed(target, () => wind({ speed: Number(speed) }));
  });
  byId("skips").addEventListener("click", ({ target }) => {
    const { skip } = target.dataset;
    if (skip) deed(target, () => wind({ advance_seconds: Number(skip) }));
  });
  byId("dismiss").addEventListener("click", () => {
    byId("refusal").hidden = true;
  });
  setInterval(() => {
    const at = now();
    if (!at) return;
    put(byId("time"), clockTime(at));
    put(byId("date"), fullDate(at));
    tick();
  }, TICK_MS);
}

gate();
steering();
placing();
answering();
breaking();
addEventListener("hashchange", () => location.hash && !byId(location.hash.slice(1)) && arrive());
arrive();
