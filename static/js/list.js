// The mailbox page: what clicks, forms and the browser's history do to list and pane.
import { act, dragging } from "./acts.js";
import { csrf, post } from "./net.js";
import { $, closePane, emptyPane, list, listUrl, openPane, pane, remember, show } from "./pane.js";
import { openList, refresh } from "./refresh.js";
import { unfold } from "./stack.js";
import { pick, pickAll, pickWhole, selected } from "./selection.js";
import { stash, toast } from "./toast.js";

const PANE = /^\/(mail\/\d+\/(thread\/)?\d+|compose\/.+)\/$/;
const LIST = /^\/(mail\/\d+|mailbox\/\d+\/(todo|todo\/done|labels\/\d+))\/$/;

function click(event) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey && !event.target.closest(".row-check")) return;
  const box = event.target.closest(".row-check input");
  if (box) return pick(box, event);
  const open = event.target.closest(".row-link, [data-pane-link], .thread-row, [data-compose], .fab");
  const go = event.target.closest("[data-list-link], .node[data-folder], .node[data-tree-list]");
  if (unfold(event)) return;
  if (open && pane()) {
    event.preventDefault();
    shut();
    openPane(open.href);
  } else if (go && list()?.dataset.list) {
    event.preventDefault();
    shut();
    openList(go.href);
  } else if (event.target.closest(".tool-back") && pane() && list()) {
    event.preventDefault();
    closePane();
  } else if (event.target.closest("[data-select-whole]")) pickWhole();
  else if (event.target.closest("[data-check]") && list()?.dataset.list) check(event);
}

// The drawer and what is folded out in it close once something was chosen.
function shut() {
  if (document.body.classList.contains("drawer-open")) document.querySelector("[data-drawer-close]").click();
}

function check(event) {
  event.preventDefault();
  shut();
  const turn = (is) => $("[data-check]").classList.toggle("is-busy", is);
  turn(true);
  Promise.all([refresh(), new Promise((done) => { setTimeout(done, 400); })]).finally(() => turn(false));
}

async function submit(event) {
  const form = event.target;
  const button = event.submitter;
  if (form.matches("[data-list-form], [data-act-form]")) {
    event.preventDefault();
    form.closest("details[open]")?.removeAttribute("open");
    form.querySelectorAll("details[open]").forEach((menu) => { menu.open = false; });
    await act(form, button);
  } else if (form.matches("[data-list-get]") && list()) {
    event.preventDefault();
    const given = [...new FormData(form)].filter(([, value]) => value !== "");
    await openList(`${new URL(form.action).pathname}${given.length ? "?" : ""}${new URLSearchParams(given)}`);
  } else if (form.matches("[data-view-form]") && list()) {
    event.preventDefault();
    await look(form, button);
  } else if (form.matches("[data-answer-form], [data-pane-form]") && pane()) {
    event.preventDefault();
    await answer(form, button);
  }
}

// Another order, or conversations: remembered first, then shown; the address says the order, so that it can be shared.
async function look(form, button) {
  const body = new FormData(form, button);
  try {
    await post(form.action, body);
  } catch (error) {
    return toast(error.message, { bad: true });
  }
  const next = new URL(body.get("next"), location.href);
  if (body.has("sort")) next.searchParams.set("sort", body.get("sort"));
  await openList(next.pathname + next.search);
}

// A form whose answer is shown in the pane: reply, forward, show the pictures.
async function answer(form, button) {
  const headers = { "HX-Request": "true", "HX-Current-URL": location.href, "X-CSRFToken": csrf() };
  const found = await fetch(form.action, { method: "POST", body: new FormData(form, button), headers }).catch(() => null);
  if (!found) return toast($("[data-offline]").textContent.trim(), { bad: true });
  if (!found.ok) return location.assign(found.url);
  show(await found.text());
  if (found.url !== location.href) history.pushState({}, "", found.url);
}

// Back and forward swap what differs; anything else is a page of its own.
async function travel() {
  const url = location.pathname + location.search;
  if (!list() || !pane()) return location.reload();
  const from = history.state?.from;
  if (PANE.test(location.pathname)) {
    if (from && from !== listUrl() && LIST.test(from.split("?")[0])) await openList(from, { push: false });
    return openPane(url, { push: false });
  }
  if (url === listUrl()) return emptyPane();
  if (LIST.test(location.pathname) && list().dataset.list) return openList(url, { push: false });
  return location.reload();
}

// The composer is done: go back to what was there before it.
function closed({ detail: { next, toast: said } }) {
  if (!list()) {
    if (said) stash(said);
    return location.assign(next);
  }
  if (said) sayUndo(said);
  document.activeElement?.blur(); // what is typed from now on is no letter any more
  if (next && PANE.test(new URL(next, location.href).pathname)) openPane(next);
  else closePane();
  refresh();
}

function sayUndo({ text, action }) {
  const undo = action && { label: action.label, run: action.run || (() => unsend(action.url)) };
  toast(text, { action: undo, linger: (action?.seconds || 8) * 1000 });
}

export async function unsend(url) {
  try {
    const found = await post(url, new FormData());
    if (!list()) return location.assign(found.next);
    if (found.next) await openPane(found.next);
    refresh();
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

export function start() {
  remember();
  document.addEventListener("click", click);
  document.addEventListener("submit", submit);
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) pickAll(event.target.checked);
  });
  document.addEventListener("compose:closed", closed);
  addEventListener("popstate", travel);
  dragging();
  selected();
}
