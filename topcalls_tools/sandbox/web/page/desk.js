/** What lies around the calls: campaigns, deliveries, faults, people. */

import { announce, ask, byId, deed, el, fill, keyed, mark, put } from "./dom.js";
import { figure, now, share, span, when } from "./time.js";

const KINDS = {
  slow: "answers late",
  rate_limited: "429, too many requests",
  error_before: "500, and nothing was done",
  error_after: "500, but it was done",
  cut_before: "connection cut, nothing was done",
  cut_after: "connection cut, but it was done",
  garbled: "a reply cut in the middle",
  not_json: "a web page instead of JSON",
};
const LASTING = new Set(["slow", "rate_limited"]);

/** Show everything but calls and the handset. */
export function showDesk(world) {
  const campaigns = [...world.campaigns].sort((one, other) => rank(one) - rank(other));
  const past = campaigns.filter((campaign) => OVER.has(campaign.status));
  keyed(byId("campaign-list"), campaigns.filter((one) => !past.includes(one)), (campaign) => campaign.id, campaignPart);
  keyed(byId("past-list"), past, (campaign) => campaign.id, campaignPart);
  byId("past-campaigns").hidden = !past.length;
  byId("no-campaigns").hidden = world.campaigns.length > 0;
  keyed(byId("delivery-list"), world.deliveries, (delivery) => delivery.id, deliveryPart);
  byId("no-deliveries").hidden = world.deliveries.length > 0;
  keyed(byId("fault-list"), world.faults, (fault) => String(fault.id), faultPart);
  byId("no-faults").hidden = world.faults.length > 0;
  byId("clear-faults").hidden = world.faults.length < 2;
  keyed(byId("people-list"), world.people, (person) => person.name, personPart);
  const reachable = world.people.flatMap((person) =>
    person.reached_by.map((reached) => ({ number: example(reached), person: person.name })),
  );
  keyed(byId("who"), reachable, ({ number }) => number, optionPart);
  keyed(byId("from_number"), ["", ...world.numbers], (number) => number, callerPart);
}

const STANDS = ["running", "paused", "scheduled", "draft", "completed", "cancelled"];
const OVER = new Set(["completed", "cancelled", "stopped"]);
const rank = (campaign) => STANDS.indexOf(campaign.status);
const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);

function campaignPart(first) {
  const name = el("h3");
  const state = el("span.state");
  const button = el("button", { type: "button" });
  const bar = el("div.bar", { role: "img" }, el("i.good"), el("i.bad"), el("i.busy"), el("i.rest"));
  const progress = el("p.figures");
  const note = el("p.note");
  const node = el("li.campaign", {}, el("div.head", {}, name, state, button), bar, progress, note);
  let turn = "";
  button.addEventListener("click", () => deed(button, () => ask("POST", `v1/campaigns/${first.id}/${turn}`)));

  return {
    node,
    update(campaign) {
      const stats = campaign.stats ?? {};
      turn = { running: "pause", draft: "start", scheduled: "start", paused: "start" }[campaign.status] ?? "";
      put(name, campaign.name || campaign.id);
      put(state, capital(campaign.status));
      mark(node, "data-status", campaign.status);
      button.hidden = !turn;
      put(button, turn === "pause" ? "Pause" : "Start");
      mark(button, "aria-label", `${button.textContent} ${name.textContent}`);
      const { calls_completed: good, calls_failed: bad, calls_in_progress: busy, pending_contacts: rest } = stats;
      fill(bar, [good, bad, busy, rest]);
      const parts = list([good, "completed"], [bad, "failed"], [busy, "in progress"], [rest, "pending"]);
      mark(bar, "aria-label", `${parts || "Nobody"}, of ${stats.total_contacts ?? 0}`);
      put(progress, parts || "Nobody is on its list.");
      const rate = stats.connection_rate;
      const rates = [
        good || bad ? `${share(rate)} connected` : "",
        list([stats.conversions, "conversions"], [stats.minutes_used, "min"]),
        campaign.opens_at && turn === "pause" ? `outside business hours until ${when(campaign.opens_at, 5)} UTC` : "",
      ];
      put(note, rates.filter(Boolean).join(", "));
    },
  };
}

/** Figures with their words, those that are nought left out. */
function list(...counted) {
  return counted.flatMap(([number, words]) => (number ? [`${figure(number)} ${words}`] : [])).join(", ");
}

function deliveryPart(first) {
  const state = el("span.state");
  const url = el("span.url", {}, first.url);
  const tries = el("span.tries");
  const note = el("p.attempts");
  const attempts = el("ol.attempts");
  const body = el("pre", { tabindex: "0", "aria-label": "Body" }, JSON.stringify(first.body, null, 2));
  const summary = el("summary", {}, state, el("span.event", {}, first.event), tries, url);
  const node = el("li.delivery", {}, el("details", {}, summary, note, attempts, body));
  return {
    node,
    update(delivery) {
      const count = delivery.attempts.length;
      const wait = Date.parse(delivery.due_at) - now();
      const due = delivery.status === "pending" && wait > 0 ? `, next in ${span(wait)}` : "";
      put(state, capital(delivery.status));
      mark(node, "data-status", delivery.status);
      put(note, delivery.note || "");
      note.hidden = !delivery.note;
      put(tries, `${count} ${count === 1 ? "attempt" : "attempts"}${due}`);
      const dated = delivery.attempts.map((attempt, place) => ({ ...attempt, place }));
      keyed(attempts, dated, (attempt) => String(attempt.place), attemptPart);
    },
  };
}

function attemptPart() {
  const node = el("li");
  const update = (attempt) => put(node, `${when(attempt.at)}  ${attempt.error || `answered ${attempt.status}`}`);
  return { node, update };
}

function faultPart(first) {
  const how = el("span.note");
  const remove = el("button.quiet", { type: "button", "aria-label": `Remove the fault on ${first.route}` }, "Remove");
  remove.addEventListener("click", () => deed(remove, () => ask("DELETE", `faults/${encodeURIComponent(first.id)}`)));
  const route = first.route === "*" ? "Every route" : first.route;
  const late = LASTING.has(first.kind) ? `, ${figure(first.seconds)} s` : "";
  const kind = `${KINDS[first.kind] ?? first.kind}${late}`;
  const words = el("p", {}, el("span.number", {}, route), " ", kind);
  return {
    node: el("li", {}, el("div", {}, words, how), remove),
    update(fault) {
      const often =
        fault.next != null
          ? `the next ${fault.next}`
          : fault.every != null
            ? `1 in ${fault.every}`
            : `${share(fault.share)} of all`;
      put(how, `${often} · ${fault.seen} requests seen, ${fault.struck} struck`);
    },
  };
}

/** A number that reaches somebody: theirs, or one that ends so. */
const example = (reached) => (reached.startsWith("+") ? reached : `+1415555${reached}`);

function personPart(first) {
  const reached = first.reached_by[0];
  const use = el("button.quiet.number", { type: "button", title: "Use this number" }, first.reached_by.join(" ") || "any other");
  use.disabled = !reached;
  use.addEventListener("click", () => {
    byId("phone_number").value = example(reached);
    byId("task").focus();
  });
  const place = first.timezone.split("/").at(-1).replaceAll("_", " ");
  const cells = [first.name, first.temper.replaceAll("_", " "), `${first.language}, ${place}`].map((words) => el("td", {}, words));
  return { node: el("tr", {}, el("td", {}, use), ...cells), update() {} };
}

function optionPart({ number, person }) {
  return { node: el("option", { value: number }, person), update() {} };
}

function callerPart(number) {
  return { node: el("option", { value: number }, number || "The account's own"), update() {} };
}

/** Make the form of faults work. */
export function breaking() {
  const form = byId("fault");
  const seconds = byId("seconds");
  const kind = byId("kind");
  for (const [value, words] of Object.entries(KINDS)) kind.append(el("option", { value }, words));
  const fit = () => {
    seconds.closest("label").hidden = !LASTING.has(kind.value);
  };
  kind.addEventListener("change", fit);
  fit();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    deed(form, async () => {
      const given = Object.fromEntries(new FormData(form));
      const amount = Number(given.amount);
      const fault = { route: given.route, kind: given.kind };
      fault[given.how] = given.how === "share" ? amount / 100 : amount;
      if (LASTING.has(given.kind) && given.seconds) fault.seconds = Number(given.seconds);
      await ask("POST", "faults", fault);
      announce("The fault is set.");
    });
  });
  const clear = byId("clear-faults");
  clear.addEventListener("click", () => deed(clear, () => ask("DELETE", "faults")));
}
