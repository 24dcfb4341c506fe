// The list: opens mails in the pane, selects, acts, refreshes in place. Without it, everything is links and forms.
import { post } from "./net.js";
import { toast } from "./toast.js";

const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
export const list = () => document.getElementById("list");
export const rows = () => $$(".row");
const pane = () => document.getElementById("pane");
export const current = () => $(".row.is-on") || null;

let anchor = null; // where a range of selected rows begins

// ---- the pane --------------------------------------------------------------------------------------------------
export async function openPane(url, { push = true } = {}) {
  const place = pane();
  if (!place) return location.assign(url);
  place.classList.add("is-loading");
  const answer = await fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);
  place.classList.remove("is-loading");
  if (!answer) return toast($("[data-offline]").textContent.trim(), { bad: true });
  if (!answer.ok && answer.status !== 422 || new URL(answer.url).pathname.startsWith("/sign-in")) return location.assign(url);
  show(await answer.text());
  if (push) history.pushState({ pane: true }, "", answer.url);
}

export function show(html) {
  pane().innerHTML = html;
  mark();
  if ($("form[data-composer]", pane())) import("./compose.js").then((module) => module.start(pane()));
  document.dispatchEvent(new CustomEvent("pane:shown"));
  const focus = $(".mail-scroll", pane());
  if (focus) focus.focus({ preventScroll: true });
}

// The row of the opened mail is marked, seen and in view.
function mark() {
  const id = $("[data-mail]", pane())?.dataset.entry;
  for (const row of rows()) {
    const on = row.dataset.id === id;
    row.classList.toggle("is-on", on);
    $(".row-link", row).toggleAttribute("aria-current", on);
    if (on) row.scrollIntoView({ block: "nearest" });
  }
}

export function closePane() {
  const place = pane();
  const url = list()?.dataset.folder ? `/mail/${list().dataset.folder}/` : location.pathname;
  if (!place || !place.dataset.empty) return location.assign(url);
  place.innerHTML = place.dataset.empty;
  rows().forEach((row) => row.classList.remove("is-on"));
  history.pushState({}, "", listUrl());
  current()?.querySelector(".row-link").focus();
}

// ---- refreshing ------------------------------------------------------------------------------------------------
let listAddress = null;
const listUrl = () => listAddress || location.pathname + location.search;

export async function refresh(url = listUrl()) {
  if (!list()) return;
  const answer = await fetch(url, { headers: { "HX-Request": "true", "HX-Target": "list" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  keepPlace(() => {
    swap("tree", page);
    swap("list", page);
  });
  mark();
  selected();
  title();
}

function swap(id, page) {
  const fresh = page.getElementById(id);
  const old = document.getElementById(id);
  if (!fresh || !old) return;
  if (id === "tree") {
    const open = $("details[open]", old);
    const scroll = old.scrollTop;
    old.replaceWith(fresh);
    if (open) $("details", fresh)?.setAttribute("open", "");
    fresh.scrollTop = scroll;
  } else {
    old.replaceWith(fresh);
  }
}

// New mail must not move what is being read, lose what is selected or take the focus away.
function keepPlace(change) {
  const before = new Set(rows().map((row) => row.dataset.id));
  const picked = new Set(pickedIds());
  const whole = Boolean($("[data-whole]")?.value);
  const focused = document.activeElement?.closest?.(".row")?.dataset.id;
  const kind = document.activeElement?.className;
  const scroller = document.getElementById("rows");
  const top = scroller?.scrollTop || 0;
  const first = top > 4 ? rows().find((row) => row.offsetTop + row.offsetHeight > top + scroller.offsetTop) : null;
  const offset = first ? first.getBoundingClientRect().top : 0;
  const page = list()?.dataset.page;
  change();
  const same = list()?.dataset.page === page;
  for (const row of rows()) {
    if (picked.has(row.dataset.id)) $("input", row).checked = true;
    if (same && before.size && !before.has(row.dataset.id) && row.classList.contains("is-new")) row.classList.add("is-fresh");
  }
  if (whole && $("[data-whole]")) $("[data-whole]").value = "1";
  const now = document.getElementById("rows");
  if (first && now) {
    const row = document.getElementById(first.id);
    now.scrollTop = row ? top : top;
    if (row) now.scrollTop += row.getBoundingClientRect().top - offset;
  }
  if (focused) document.getElementById(`e${focused}`)?.querySelector(kind.includes("row-star") ? ".row-star" : ".row-link")?.focus({ preventScroll: true });
}

async function openList(url) {
  listAddress = url;
  await refresh(url);
  if (pane()?.dataset.empty) pane().innerHTML = pane().dataset.empty;
  history.pushState({ list: true }, "", url);
  document.getElementById("rows")?.scrollTo(0, 0);
}

function title() {
  const unread = Number(document.getElementById("tree")?.dataset.titleUnread || 0);
  document.title = document.title.replace(/^\(\d+\) /, "");
  if (unread) document.title = `(${unread}) ${document.title}`;
}

// ---- selecting -------------------------------------------------------------------------------------------------
export const pickedIds = () => $$(".row input:checked").map((box) => box.value);

export function selected() {
  const form = $("[data-list-form]");
  if (!form) return;
  const ids = pickedIds();
  rows().forEach((row) => row.classList.toggle("is-picked", $("input", row).checked));
  form.classList.toggle("is-selecting", ids.length > 0);
  const all = $("[data-select-all]", form);
  if (!all) return;
  all.checked = ids.length > 0 && ids.length === rows().length;
  all.indeterminate = ids.length > 0 && !all.checked;
  const whole = $("[data-whole]", form);
  if (!all.checked) whole.value = "";
  const total = Number(list().dataset.total || 0);
  $("[data-bulk-count]", form).textContent = ids.length ? (whole.value ? total : ids.length) : "";
  const offer = $("[data-bulk-whole]", form);
  offer.hidden = !(all.checked && total > ids.length && !whole.value && !list().dataset.show);
}

function pick(box, event) {
  const row = box.closest(".row");
  if (event.shiftKey && anchor) {
    const ids = rows();
    const [from, to] = [ids.indexOf(document.getElementById(anchor)), ids.indexOf(row)].sort((a, b) => a - b);
    if (from >= 0) ids.slice(from, to + 1).forEach((each) => { $("input", each).checked = box.checked; });
  }
  anchor = row.id;
  selected();
}

// ---- acting ----------------------------------------------------------------------------------------------------
const LEAVES = new Set(["delete", "junk", "not_junk", "move", "empty"]);

export async function act(form, button) {
  const body = new FormData(form);
  if (button) body.set(button.name, button.value);
  if (button?.dataset.act) body.set("act", button.dataset.act);
  if (button && (button.name === "star" || button.name === "unstar")) body.delete("ids");
  const name = body.get("act");
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) return;
  try {
    const answer = await post(form.action, body);
    tell(answer);
    await after(name, body, form);
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

function tell({ toast: text, undo }) {
  const action = undo && { label: undo.label, run: () => takeBack(undo.token) };
  toast(text, { action, linger: action ? 10000 : 5000 });
}

async function takeBack(token) {
  const body = new FormData();
  body.set("undo", token);
  try {
    tell(await post("/act/", body));
    await refresh();
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

async function after(name, body, form) {
  const ids = new Set(body.getAll("ids"));
  const opened = $("[data-mail]", pane() || document)?.dataset.entry;
  const inPane = form.closest("#pane");
  if (LEAVES.has(name) || name === "unread" && inPane) {
    const next = nextAfter(ids);
    rows().forEach((row) => { if (ids.has(row.dataset.id)) $("input", row).checked = false; });
    if (opened && (ids.has(opened) || name === "empty")) {
      if (next && innerWidth > 760 && LEAVES.has(name)) await openPane($(".row-link", next).href);
      else closePane();
    }
  }
  if (inPane && (name === "star" || name === "unstar")) await openPane(location.href, { push: false });
  await refresh();
}

function nextAfter(ids) {
  const all = rows();
  const last = all.findLastIndex((row) => ids.has(row.dataset.id));
  return all.slice(last + 1).find((row) => !ids.has(row.dataset.id)) || all.slice(0, Math.max(last, 0)).findLast((row) => !ids.has(row.dataset.id));
}

// ---- dragging --------------------------------------------------------------------------------------------------
function drag(event) {
  const row = event.target.closest(".row");
  if (!row) return;
  const ids = pickedIds().includes(row.dataset.id) ? pickedIds() : [row.dataset.id];
  event.dataTransfer.setData("application/x-globalmail-ids", ids.join(","));
  event.dataTransfer.effectAllowed = "move";
  ids.forEach((id) => document.getElementById(`e${id}`)?.classList.add("is-dragged"));
}

async function drop(event) {
  const node = event.target.closest("[data-drop]");
  const ids = event.dataTransfer.getData("application/x-globalmail-ids");
  $$(".is-target").forEach((each) => each.classList.remove("is-target"));
  if (!node || !ids) return;
  event.preventDefault();
  const body = new FormData();
  body.set("act", "move");
  body.set("folder", node.dataset.folder);
  ids.split(",").forEach((id) => body.append("ids", id));
  try {
    tell(await post("/act/", body));
    await after("move", body, document.body);
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

// ---- wiring ----------------------------------------------------------------------------------------------------
function click(event) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey) return;
  const box = event.target.closest(".row-check input");
  if (box) return pick(box, event);
  const link = event.target.closest(".row-link, [data-pane-link], [data-list-link], .thread-row, .mail .tool-back");
  if (link && !event.shiftKey) {
    if (link.matches(".row-link, [data-pane-link], .thread-row") && pane()) {
      event.preventDefault();
      if (innerWidth <= 760 || document.body.classList.contains("pane-off")) listAddress ||= location.pathname + location.search;
      return openPane(link.href);
    }
    if (link.matches("[data-list-link]") && list()) {
      event.preventDefault();
      return openList(link.href);
    }
    if (link.matches(".tool-back") && pane()?.dataset.empty) {
      event.preventDefault();
      return closePane();
    }
  }
  if (event.target.closest("[data-select-whole]")) {
    $("[data-whole]").value = "1";
    selected();
  }
  const compose = event.target.closest("[data-compose], .fab");
  if (compose && pane()) {
    event.preventDefault();
    openPane(compose.href);
  }
  const check = event.target.closest("[data-check]");
  if (check && list()?.dataset.folder) {
    event.preventDefault();
    check.classList.add("is-busy");
    refresh().finally(() => $("[data-check]").classList.remove("is-busy"));
  }
}

async function submit(event) {
  const form = event.target;
  const button = event.submitter;
  if (form.matches("[data-list-form], [data-act-form]")) {
    event.preventDefault();
    form.querySelectorAll("details[open]").forEach((menu) => { menu.open = false; });
    await act(form, button);
  } else if (form.matches("[data-list-get]") && list()) {
    event.preventDefault();
    await openList(`${form.action}?${new URLSearchParams(new FormData(form))}`);
  } else if (form.matches("[data-answer-form], [data-pane-form]") && pane()) {
    event.preventDefault();
    const body = new FormData(form, button);
    const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer) return toast($("[data-offline]").textContent.trim(), { bad: true });
    if (!answer.ok) return location.assign(answer.url);
    show(await answer.text());
    history.pushState({ pane: true }, "", answer.url);
  }
}

export function start() {
  if (pane() && !$(".mail, .compose", pane())) pane().dataset.empty = pane().innerHTML;
  else if (pane()) pane().dataset.empty = $("template#pane-empty")?.innerHTML || "";
  if (list() && !$(".mail", pane() || document)) listAddress = location.pathname + location.search;
  document.addEventListener("click", click);
  document.addEventListener("submit", submit);
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      rows().forEach((row) => { $("input", row).checked = event.target.checked; });
      selected();
    }
  });
  document.addEventListener("dragstart", drag);
  document.addEventListener("dragend", () => $$(".is-dragged").forEach((row) => row.classList.remove("is-dragged")));
  document.addEventListener("dragover", (event) => {
    const node = event.target.closest?.("[data-drop]");
    $$(".is-target").forEach((each) => { if (each !== node) each.classList.remove("is-target"); });
    if (node && event.dataTransfer.types.includes("application/x-globalmail-ids")) {
      event.preventDefault();
      node.classList.add("is-target");
    }
  });
  document.addEventListener("drop", drop);
  document.addEventListener("mail:changed", () => refresh());
  document.addEventListener("compose:closed", (event) => {
    const { next, toast: said } = event.detail;
    if (said) {
      const undo = said.action && { label: said.action.label, run: () => unsend(said.action.url) };
      toast(said.text, { action: undo, linger: (said.action?.seconds || 5) * 1000 });
    }
    if (!list()) return location.assign(next);
    if (next?.includes("/mail/") && /\/mail\/\d+\/\d+\//.test(next)) openPane(next);
    else closePane();
    refresh();
  });
  addEventListener("popstate", () => location.reload());
  selected();
}

async function unsend(url) {
  try {
    const answer = await post(url, new FormData());
    if (answer.next) await openPane(answer.next);
  } catch (error) {
    toast(error.message, { bad: true });
  }
}
