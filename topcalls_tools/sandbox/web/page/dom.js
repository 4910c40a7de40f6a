/** Elements and requests: words only ever enter the page as text, and a refusal is one sentence. */

export const byId = (id) => document.getElementById(id);

/**
 * Make an element; `tag.class` names it, functions become listeners, booleans bare attributes.
 * @param {string} what @param {Object<string, any>} [props] @param {...(Node|string)} children
 */
export function el(what, props = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (typeof value === "boolean") node.toggleAttribute(name, value);
    else if (value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Change a text only where it differs: a selection in it, and what was read aloud, stay. */
export function put(node, words) {
  const text = words == null ? "" : String(words);
  if (node.textContent !== text) node.textContent = text;
}

export function mark(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

const shelves = new WeakMap();

/**
 * Bring a parent's children in line with a list, in place: what has a part keeps its node, typed text and focus.
 * @template T @param {Element} parent @param {T[]} items @param {(item: T) => string} key
 * @param {(item: T) => {node: Element, update: (item: T) => void}} make
 */
export function keyed(parent, items, key, make) {
  const parts = shelves.get(parent) ?? shelves.set(parent, new Map()).get(parent);
  const wanted = new Set(items.map(key));
  const focused = document.activeElement;
  for (const [id, part] of parts) {
    if (wanted.has(id)) continue;
    const held = part.node.contains(focused);
    part.node.remove();
    parts.delete(id);
    if (held) (parent.closest("section").querySelector(":scope > h2") ?? byId("calls-title")).focus();
  }
  let at = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    if (!parts.has(id)) parts.set(id, make(item));
    const { node, update } = parts.get(id);
    if (node === at) at = at.nextElementSibling;
    else if (node.isConnected && parent.moveBefore) parent.moveBefore(node, at);
    else parent.insertBefore(node, at);
    update(item); // after it stands in its place: some parts measure themselves
  }
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

/** Widths of a bar's parts, in the order of its children. */
export function fill(bar, amounts) {
  amounts.forEach((amount, place) => {
    bar.children[place].style.flexGrow = String(Math.max(0, amount || 0));
  });
}

export class Refused extends Error {
  /** @param {number} status @param {{detail?: string, title?: string, errors?: {path: string}[]}} problem */
  constructor(status, problem) {
    super(sentence(problem.detail || problem.title || `The sandbox answered ${status}`));
    this.status = status;
    this.paths = (problem.errors ?? []).map((wrong) => wrong.path);
  }
}

/** Ask the sandbox; the reply's JSON, or null where it has none. Raises Refused. */
export async function ask(method, path, body, headers = {}) {
  const asked = { method, headers: { Accept: "application/json", ...headers } };
  if (method !== "GET") asked.headers["Content-Type"] = "application/json";
  if (body !== undefined) asked.body = JSON.stringify(body);
  let reply;
  try {
    reply = await fetch(`/sandbox/${path}`, asked);
  } catch {
    throw new Refused(0, { detail: "The sandbox does not answer; see whether it still runs in the terminal" });
  }
  const found = await reply.json().catch(() => null);
  if (!reply.ok) throw new Refused(reply.status, found ?? {});
  return found;
}

const under = new WeakSet();

/** Carry out what a control stands for, once at a time; a refusal is said, and wrong fields are marked. */
export async function deed(control, work) {
  if (under.has(control)) return;
  under.add(control);
  mark(control, "aria-busy", true);
  for (const field of control.elements ?? []) field.removeAttribute("aria-invalid");
  byId("refusal").hidden = true;
  try {
    await work();
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    complain(refused.message);
    const wrong = [...(control.elements ?? [])].filter((field) => refused.paths.includes(field.name));
    for (const field of wrong) mark(field, "aria-invalid", true);
    wrong[0]?.focus();
  } finally {
    under.delete(control);
    control.removeAttribute("aria-busy");
  }
}

/** Show a sentence until it is dismissed or the next deed begins. */
export function complain(words) {
  byId("refusal").hidden = false;
  byId("refused").textContent = words;
}

/** Say something to those who listen to the page. */
export const announce = (words) => put(byId("announced"), words);

const sentence = (words) => (/[.!?]$/.test(words) ? words : `${words}.`);
