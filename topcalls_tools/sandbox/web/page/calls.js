/** Calls: placing one, and watching all of them; those under way first, with what is said as it is said. */

import { announce, ask, byId, deed, el, keyed, mark, put } from "./dom.js";
import { figure, span, timer, when } from "./time.js";

const OUTCOMES = {
  "no-answer": "No answer",
  busy: "Busy",
  rejected: "Rejected",
  dispatch_timeout: "Not dispatched",
  cancelled: "Cancelled",
  failed: "Failed",
  completed: "Completed",
};
const OPEN_AT_ONCE = 4;
const ENDED_AT_ONCE = 12;

/** How far a call has come, as a person sees it: queued, ringing, live or ended. */
export function stage(call) {
  if (call.status === "in_progress") return "live";
  if (call.status !== "queued" && call.status !== "pending") return "ended";
  return call.rang_at ? "ringing" : "queued";
}

const ORDER = { ringing: 0, live: 1, queued: 2, ended: 3 };
const LABELS = { ringing: "Ringing", live: "Live", queued: "Queued" };
const label = (call) => LABELS[stage(call)] ?? OUTCOMES[call.call_status] ?? OUTCOMES[call.status] ?? call.status;

/** Calls that this page placed or answered: they stay open when they end. */
const followed = new Set();
export const follow = (id) => followed.add(id);

const stages = new Map();
let campaigns = new Map();
let newest = "";
let older = false;
let world = null;

/** Show all calls but those that the handset shows. */
export function showCalls(overview) {
  world = overview;
  campaigns = new Map(world.campaigns.map((campaign) => [campaign.id, campaign.name]));
  newest = world.calls.find((call) => !call.campaign_id)?.id ?? "";
  for (const call of world.calls) tell(call);
  const shown = world.calls.filter((call) => !(call.yours && ["ringing", "live"].includes(stage(call))));
  shown.sort((one, other) => ORDER[stage(one)] - ORDER[stage(other)]); // stable: newest first within a stage
  let free = OPEN_AT_ONCE;
  for (const call of shown) call.watched = stage(call) === "live" && !call.campaign_id && free-- > 0;
  const live = world.calls.filter((call) => stage(call) !== "ended").length;
  const most = older ? shown.length : live + ENDED_AT_ONCE;
  keyed(byId("call-list"), shown.slice(0, most), (call) => call.id, callPart);
  byId("older").hidden = shown.length <= most;
  put(byId("calls-count"), live ? `${live} under way` : "");
  byId("no-calls").hidden = world.calls.length > 0;
}

/** Those who listen hear what changes, not what was there when they came. */
function tell(call) {
  const [before, after] = [stages.get(call.id), stage(call)];
  if (call.campaign_id) return; // a campaign's calls are too many to be read aloud
  if (before && before !== after) announce(`Call to ${call.person || call.phone_number}: ${label(call)}.`);
  stages.set(call.id, after);
}

function callPart(first) {
  const state = el("span.state");
  const who = el("span.who");
  const number = el("span.number");
  const gist = el("span.gist");
  const clock = el("span.clock");
  const row = el("button.row", { type: "button", "aria-controls": `body-${first.id}` }, state, who, number, gist, clock);
  const end = el("button.danger", { type: "button" });
  const summary = el("p.summary");
  const task = el("p.note");
  const talk = el("ol.talk", { tabindex: "0", "aria-label": "Transcript" });
  const sound = el("div.sound");
  const facts = el("dl.facts");
  const body = el("div.body", { id: `body-${first.id}` }, summary, task, talk, sound, facts);
  const node = el("li.call", {}, el("div.head", {}, el("h3", {}, row), end), body);
  let call = first;
  let chosen = null;
  let wasLive = false;

  row.addEventListener("click", () => {
    chosen = body.hidden;
    update(call);
  });
  end.addEventListener("click", () =>
    deed(end, () => ask("POST", `v1/calls/${call.id}/${stage(call) === "live" ? "stop" : "cancel"}`)),
  );

  function update(next) {
    call = next;
    const at = stage(call);
    wasLive ||= at === "live";
    const open = chosen ?? (call.watched || followed.has(call.id) || (wasLive && call.id === newest));
    mark(node, "data-stage", at);
    mark(node, "data-outcome", call.call_status ?? "");
    put(state, label(call));
    put(who, call.person || "");
    put(number, call.phone_number);
    put(gist, call.disposition || reason(call) || (at === "ended" ? "" : call.transcript.at(-1)?.text || taskOf(call)));
    timer(clock, { ringing: call.rang_at, live: call.started_at, queued: call.created_at }[at]);
    if (at === "ended") put(clock, when(call.end_at ?? call.created_at));
    put(end, at === "live" ? "Hang up" : "Cancel");
    mark(end, "aria-label", `${end.textContent} the call to ${call.person || call.phone_number}`);
    end.hidden = at === "ended";
    gist.hidden = open && at !== "ended";
    mark(row, "aria-expanded", open);
    body.hidden = !open;
    if (open) showBody();
  }

  function showBody() {
    const at = stage(call);
    put(summary, call.call_summary || waiting(call));
    converse(talk, call);
    if (call.recording_url && !sound.firstChild) {
      const src = `/sandbox/recordings/${encodeURIComponent(call.id)}.wav`;
      sound.append(el("audio", { controls: true, preload: "none", src, "aria-label": "Recording of this call" }));
    }
    put(task, taskOf(call) && `Task: ${taskOf(call)}`);
    facts.hidden = at !== "ended";
    if (facts.hidden) return;
    const told = {
      From: call.from_phone_number,
      "Answered by": call.answered_by,
      Campaign: campaigns.get(call.campaign_id),
      Lasted: call.started_at ? span(Date.parse(call.end_at) - Date.parse(call.started_at)) : null,
      Billed: call.duration == null ? null : `${figure(call.duration)} min`,
      Error: reason(call),
      Placed: when(call.created_at),
      Id: call.id,
    };
    const known = Object.entries(told).filter(([, value]) => value);
    keyed(facts, known, ([name]) => name, factPart);
  }

  return { node, update };
}

const taskOf = (call) => call.metadata?.task ?? call.metadata?.instructions ?? "";

/** Why a call failed, where that says more than its outcome. */
function reason({ error_message: error, ...call }) {
  return error && error.toLowerCase() !== label(call).toLowerCase() ? error : "";
}

function factPart([name]) {
  const value = el("dd");
  return { node: el("div", {}, el("dt", {}, name), value), update: ([_, words]) => put(value, words) };
}

/** What an open call without a summary says instead; nothing where the transcript speaks. */
function waiting(call) {
  const at = stage(call);
  if (at === "queued") return "Waiting to be dialled.";
  if (at === "ringing") return "Ringing; nobody has answered yet.";
  if (at === "live") return call.transcript.length ? "" : "Connected; nothing has been said yet.";
  return call.completed || !call.started_at ? "" : "Ended; the summary and the recording follow.";
}

/** A transcript as a conversation: the agent left, the person right. It follows the talk while it is at its end. */
export function converse(list, call) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const before = list.childElementCount;
  keyed(list, call.transcript, (turn) => String(turn.id), (turn) => turnPart(turn, call));
  list.hidden = !call.transcript.length;
  if (atEnd && stage(call) === "live" && list.childElementCount !== before) list.scrollTop = list.scrollHeight;
}

function turnPart(turn, call) {
  const agent = turn.user === "assistant";
  const speaker = agent ? "Agent" : call.person || "Person called";
  const begun = call.started_at ? Date.parse(turn.created_at) - Date.parse(call.started_at) : null;
  const words = el("p");
  const from = el("span.from", {}, begun == null ? speaker : `${speaker} · ${span(begun)}`);
  return { node: el(agent ? "li.agent" : "li.person", {}, from, words), update: (next) => put(words, next.text) };
}

/** The press that no reply has come to yet: pressed again as it stands, it is the same call and not another. */
let press = null;

async function place(body) {
  const said = JSON.stringify(body);
  if (press?.said !== said) press = { said, key: crypto.randomUUID() };
  const placed = await ask("POST", "v1/calls", body, { "Idempotency-Key": press.key });
  follow(placed.call_id);
  press = null;
}

/** Make the form that places a call work, and the list's button. */
export function placing() {
  byId("older").addEventListener("click", () => {
    older = true;
    showCalls(world);
  });
  const form = byId("place");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    deed(form, async () => {
      const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
      const body = { ...given, max_duration: Number(given.max_duration) };
      delete body.mine;
      if (given.mine) await ask("POST", "claims", { number: given.phone_number });
      await place(body);
      announce("The call is placed.");
      byId("calls").scrollIntoView({ block: "nearest" });
    });
  });
}
