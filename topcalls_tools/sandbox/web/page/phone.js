/** The handset: calls that ring on this page, which a person answers and talks through. */

import { converse, follow, stage } from "./calls.js";
import { announce, ask, byId, deed, el, keyed, put } from "./dom.js";
import { timer } from "./time.js";

const TYPING = "input:not([type=checkbox]), textarea, select";
let ringing = [];

/** Show the calls that ring here or are talked through here, and the numbers claimed. */
export function showPhone(world) {
  const mine = world.calls.filter((call) => call.yours && ["ringing", "live"].includes(stage(call)));
  const before = ringing.length;
  ringing = mine.filter((call) => stage(call) === "ringing");
  byId("handset").hidden = !mine.length;
  keyed(byId("lines"), mine, (call) => call.id, linePart);
  ring(ringing.length > 0);
  const title = ringing.length ? `Ringing: ${ringing[0].phone_number}` : "TopCalls sandbox";
  if (document.title !== title) document.title = title;
  if (ringing.length > before) {
    announce(`The phone rings: a call to ${ringing[0].phone_number}.`);
    const typing = document.activeElement?.matches(TYPING);
    if (!typing) byId("lines").querySelector("[data-stage=ringing] .primary")?.focus();
  }
  keyed(byId("claim-list"), world.claims, (number) => number, claimPart);
  byId("no-claims").hidden = world.claims.length > 0;
}

function linePart(first) {
  const does = (what, body) => () => ask("POST", `calls/${first.id}/${what}`, body);
  const heading = el("h2", { tabindex: "-1" });
  const clock = el("span.clock");
  const about = el("p.about");
  const talk = el("ol.talk", { tabindex: "0", "aria-label": "Conversation" });
  const words = el("input", { name: "words", required: true, maxlength: "1000", autocomplete: "off" });
  const answer = el("button.primary", { type: "button" }, "Answer");
  const decline = el("button.danger", { type: "button" }, "Decline");
  const hangUp = el("button.danger", { type: "button" }, "Hang up");
  const hint = el("p.hint", {}, el("kbd", {}, "Enter"), " answers, ", el("kbd", {}, "Esc"), " declines");
  const say = el(
    "form.say",
    {},
    el("label", {}, el("span", {}, "What you say"), words),
    el("button.primary", {}, "Say"),
    hangUp,
  );
  const choices = el("div.choices", {}, answer, decline, hint);
  const node = el("li.line", {}, el("div.title", {}, heading, clock), about, choices, el("div", { role: "log" }, talk), say);

  answer.addEventListener("click", () =>
    deed(answer, async () => {
      follow(first.id);
      await does("pick_up")();
    }),
  );
  decline.addEventListener("click", () => deed(decline, does("decline")));
  hangUp.addEventListener("click", () => deed(hangUp, does("hang_up")));
  say.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = words.value;
    deed(say, async () => {
      await does("say", { words: said })();
      if (words.value === said) words.value = "";
    });
  });

  let at = "";
  function update(call) {
    const before = at;
    at = stage(call);
    if (before !== at) {
      const held = choices.contains(document.activeElement);
      node.dataset.stage = at;
      choices.hidden = at === "live";
      say.hidden = at !== "live";
      if (held) words.focus();
    }
    put(heading, at === "live" ? "On the phone" : "Incoming call");
    const from = call.from_phone_number ? ` The call comes from ${call.from_phone_number}.` : "";
    put(about, `You are ${call.phone_number}.${from}`);
    timer(clock, at === "live" ? call.started_at : call.rang_at);
    converse(talk, call);
  }

  return { node, update };
}

function claimPart(number) {
  const release = el("button.quiet", { type: "button", "aria-label": `Release ${number}` }, "Release");
  release.addEventListener("click", () =>
    deed(release, () => ask("DELETE", `claims/${encodeURIComponent(number)}`)),
  );
  return { node: el("li", {}, el("span.number", {}, number), release), update() {} };
}

/** Make claims, keys and the tone work. */
export function answering() {
  const claim = byId("claim");
  claim.addEventListener("submit", (event) => {
    event.preventDefault();
    deed(claim, async () => {
      await ask("POST", "claims", { number: new FormData(claim).get("number") });
      announce("The number is yours: calls to it ring on this page.");
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !ringing.length || event.target.matches?.(TYPING)) return;
    event.preventDefault();
    byId("lines").querySelector("[data-stage=ringing] .danger")?.click();
  });
  const tone = byId("tone");
  tone.addEventListener("click", () => {
    const on = tone.getAttribute("aria-pressed") !== "true";
    tone.setAttribute("aria-pressed", String(on));
    keep(on);
    ring(ringing.length > 0);
  });
  tone.setAttribute("aria-pressed", String(kept()));
  for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, allow, { once: true });
}

/** A browser may refuse its storage; then the tone is on at every visit. */
function kept() {
  try {
    return localStorage.getItem("tone") !== "off";
  } catch {
    return true;
  }
}

function keep(on) {
  try {
    localStorage.setItem("tone", on ? "on" : "off");
  } catch {
    return;
  }
}

/** @type {AudioContext | null} */
let audio = null;
let sounding = 0;

/** Browsers let a page sound only after a gesture of its visitor. */
function allow() {
  audio ??= new AudioContext();
  ring(ringing.length > 0);
}

function ring(wanted) {
  const on = wanted && audio !== null && byId("tone").getAttribute("aria-pressed") === "true";
  if (on === sounding > 0) return;
  clearInterval(sounding);
  sounding = on ? setInterval(chime, 3000) : 0;
  if (on) chime();
}

/** One soft ring: two tones that swell and fade within a second and a half. */
function chime() {
  const from = audio.currentTime;
  const loud = new GainNode(audio, { gain: 0 });
  loud.gain.setTargetAtTime(0.05, from, 0.08);
  loud.gain.setTargetAtTime(0, from + 1, 0.15);
  loud.connect(audio.destination);
  for (const frequency of [440, 554]) {
    const voice = new OscillatorNode(audio, { frequency });
    voice.connect(loud);
    voice.start(from);
    voice.stop(from + 2);
  }
}
