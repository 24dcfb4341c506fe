// Keys as Gmail has them. A control with data-key is pressed by its key; the rest is here.
import { act, closePane, current, list, openPane, pickedIds, rows, selected } from "./list.js";

let pending = "";

const typing = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]");

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current() || document.activeElement.closest?.(".row"));
  const row = all[Math.min(all.length - 1, Math.max(0, at + by))];
  if (!row || all[at] === row) return;
  row.querySelector(".row-link").focus();
  openPane(row.querySelector(".row-link").href);
}

function bulk(name) {
  const form = document.querySelector("[data-list-form]");
  const focused = document.activeElement.closest?.(".row");
  if (!form || !pickedIds().length && !focused) return false;
  if (!pickedIds().length) focused.querySelector("input").checked = true;
  const button = form.querySelector(`.bulk button[value=${name}]`);
  if (button) act(form, button);
  return Boolean(button);
}

function go(key) {
  const role = { i: "inbox", d: "drafts", t: "sent" }[key];
  if (key === "h") location.assign("/");
  else if (role) document.querySelector(`[data-role=${role}]`)?.click();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => document.activeElement.closest?.(".row")?.querySelector(".row-link").click(),
  u: () => document.querySelector("#pane .mail, #pane .compose") && closePane(),
  x: () => {
    const box = (document.activeElement.closest?.(".row") || current())?.querySelector("input");
    if (!box) return;
    box.checked = !box.checked;
    selected();
  },
  c: () => document.querySelector("[data-compose]")?.click(),
  "/": () => document.getElementById("q")?.select(),
  "?": () => document.getElementById("keys")?.showModal(),
};

function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && event.target.id === "q") event.target.blur();
  if (typing(event.target)) return;
  if (pending === "g") {
    pending = "";
    return go(event.key);
  }
  if (event.key === "g") {
    pending = "g";
    setTimeout(() => { pending = ""; }, 1200);
    return;
  }
  const picked = pickedIds().length > 0;
  const act = { "#": "delete", "!": "junk", s: "star", U: "unread" }[event.key];
  if (act && (picked || !document.querySelector("[data-mail]")) && list() && bulk(act)) return event.preventDefault();
  const control = document.querySelector(`[data-mail] [data-key="${CSS.escape(event.key)}"]`);
  if (control && !["j", "k", "u"].includes(event.key)) {
    event.preventDefault();
    return control.click();
  }
  if (!KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
}

export function start() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) document.getElementById("keys").showModal();
  });
}
