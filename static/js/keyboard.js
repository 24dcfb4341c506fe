// Keys as Gmail has them. A control with data-key is pressed by its key; the rest is here.
import { act } from "./acts.js";
import { help } from "./dialogs.js";
import { $, ROW, ROW_LINK, closePane, current, isBeside, isOpen, list, openPane, rows } from "./pane.js";
import { pickedIds, selected } from "./selection.js";

let pending = "";
let place = null; // the row the keys stand on while the focus is elsewhere

const typing = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]");
const focused = () => document.activeElement.closest?.(ROW);
const here = () => focused() || current() || (place && document.getElementById(place));
const focus = (row) => ($(ROW_LINK, row) || $("input:not([type=hidden])", row) || row).focus(); // not every row can be opened

// The next row; opened where it shows beside the list or a mail is open already.
function step(by) {
  const all = rows();
  const at = all.indexOf(here());
  const row = all[at < 0 ? 0 : at + by];
  if (!row) return $(`#pane .tools-end [data-key=${by > 0 ? "j" : "k"}]`)?.click();
  place = row.id;
  const link = $(ROW_LINK, row);
  focus(row);
  if (link && (isBeside() || isOpen())) openPane(link.href);
}

function bulk(name) {
  const form = $("[data-list-form]");
  const row = focused();
  if (!form || !pickedIds().length && !row) return false;
  if (!pickedIds().length) $("input", row).checked = true;
  const button = $(`.bulk button[value=${name}]`, form);
  if (button) act(form, button);
  return Boolean(button);
}

// A button above plain rows, for those that are selected or for the one that has the focus.
function plain(key) {
  const button = $(`[data-row-form] [data-key="${CSS.escape(key)}"]`);
  const row = focused();
  if (!button || !pickedIds().length && !row) return false;
  if (!pickedIds().length) $("input", row).checked = true;
  button.click();
  return true;
}

// A button of the row that has the focus.
function own(key) {
  const button = $(`[data-row-key="${CSS.escape(key)}"]`, focused() || document.createElement("i"));
  button?.click();
  return Boolean(button);
}

// A menu of the bar for what is selected, or for the row that has the focus.
function menu(key) {
  const summary = $(`[data-list-form] [data-bulk-key=${key}]`);
  const row = focused();
  if (!summary || !pickedIds().length && !row) return false;
  if (!pickedIds().length) {
    $("input", row).checked = true;
    selected();
  }
  summary.click();
  return true;
}

function go(key) {
  const role = { i: "inbox", d: "drafts", t: "sent" }[key];
  const place = { k: "todo", l: "label-" }[key];
  if (key === "h") $(".brand").click();
  else if (key === "j") $("[data-jump]")?.click();
  else if (key === "n") $(".pager a[rel=next]")?.click();
  else if (key === "p") $(".pager a[rel=prev]")?.click();
  else if (place) $(`[data-tree-list^=${place}]`)?.click();
  else if (role) $(`[data-role=${role}]`)?.click();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => here()?.querySelector(ROW_LINK)?.click(),
  u: () => (isOpen() ? closePane() : $("[data-back]")?.click()),
  x: () => {
    const box = here()?.querySelector("input:not([type=hidden])");
    if (!box) return;
    box.checked = !box.checked;
    selected();
  },
  z: () => $("#toasts button")?.click(),
  c: () => $("[data-compose]")?.click(),
  "/": () => document.getElementById("q")?.select(),
  "?": help,
};

function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && event.target.id === "q") event.target.blur();
  if (typing(event.target) || $("form[data-composer]:not([data-ready])")) return; // what is typed early is no command
  if (pending === "g") {
    pending = "";
    return go(event.key);
  }
  if (event.key === "g") {
    pending = "g";
    setTimeout(() => { pending = ""; }, 1200);
    return;
  }
  const name = { "#": "delete", Delete: "delete", "!": "junk", s: "star", U: "unread", T: "todo", e: "done" }[event.key];
  const aboutRows = list() && (pickedIds().length || focused() && !isOpen() || !$("[data-mail]"));
  if (aboutRows && name && bulk(name)) return event.preventDefault();
  if (aboutRows && (event.key === "l" || event.key === "v") && menu(event.key)) return event.preventDefault();
  const bar = $(`.list-bar [data-list-key="${CSS.escape(event.key)}"]`);
  if (bar) {
    event.preventDefault();
    return bar.click();
  }
  const key = event.key === "Delete" ? "#" : event.key;
  if (plain(key) || own(key)) return event.preventDefault();
  const control = $(`:is([data-mail], [data-keys]) [data-key="${CSS.escape(key)}"]`);
  if (control && !["j", "k", "u"].includes(key)) {
    event.preventDefault();
    return control.click();
  }
  if (!KEYS[key]) return;
  event.preventDefault();
  KEYS[key]();
}

// Plain rows are another page after each act: the place among them is found again, or the one behind it.
const KEPT = "row";

function leave() {
  const row = !list() && here();
  if (!row) return;
  const all = rows();
  const ids = [...all.slice(all.indexOf(row)), ...all.slice(0, all.indexOf(row)).reverse()].map((each) => each.id);
  try { sessionStorage.setItem(KEPT, JSON.stringify({ path: location.pathname, ids })); } catch { /* storage is forbidden */ }
}

function comeBack() {
  try {
    const { path, ids } = JSON.parse(sessionStorage.getItem(KEPT)) || {};
    if (list() || path !== location.pathname || document.activeElement !== document.body) return;
    sessionStorage.removeItem(KEPT);
    const row = ids.map((id) => document.getElementById(id)).find(Boolean);
    if (!row) return;
    place = row.id;
    focus(row);
  } catch { /* storage is forbidden */ }
}

export function start() {
  document.addEventListener("keydown", pressed);
  addEventListener("pagehide", leave);
  comeBack();
}
