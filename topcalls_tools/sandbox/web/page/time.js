/** Sandbox time, which goes on smoothly between what the server tells; and how times and figures are written. */

let told = 0;
let heard = 0;
let pace = 0;
let shown = 0;
const running = new Map();

/** The server told its time and how fast it runs. */
export function hear(iso, speed) {
  told = Date.parse(iso);
  heard = performance.now();
  pace = speed;
  const ahead = shown - told;
  if (ahead > 2000 * Math.max(1, speed)) shown = 0; // another world: anything less is the wire's delay
}

/** Nobody tells the time any more: it stands still. */
export function stand() {
  told = now();
  heard = performance.now();
  pace = 0;
}

/** Sandbox time in milliseconds; never runs backwards. */
export function now() {
  shown = Math.max(shown, told + (performance.now() - heard) * pace);
  return shown;
}

/** Let an element show how long ago something was, until it is given null. */
export function timer(node, since) {
  if (since == null) running.delete(node);
  else running.set(node, Date.parse(since));
}

/** Bring all timers up to now. */
export function tick() {
  const at = now();
  for (const [node, since] of running) {
    if (!node.isConnected) running.delete(node);
    else if (node.textContent !== span(at - since)) node.textContent = span(at - since);
  }
}

const DATE = { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" };
const day = new Intl.DateTimeFormat("en-GB", DATE);
const date = new Intl.DateTimeFormat("en-GB", { ...DATE, year: "numeric" });
const figures = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const shares = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });

export const clockTime = (ms) => new Date(ms).toISOString().slice(11, 19);
export const fullDate = (ms) => date.format(ms);
export const figure = (number) => figures.format(number);
export const share = (part) => shares.format(part);

/** An instant in UTC: its time today, to the second or shorter; else with its day. */
export function when(iso, length = 8) {
  const then = Date.parse(iso);
  const today = Math.floor(then / 86_400_000) === Math.floor(now() / 86_400_000);
  return today ? clockTime(then).slice(0, length) : `${day.format(then)}, ${clockTime(then).slice(0, 5)}`;
}

/** A stretch of time: 0:07, 12:30, 1:02:03. */
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
