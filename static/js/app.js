// Every framed page: the list, keys, the drawer, the width of the list, the theme, live updates.
import "./live.js";
import "./message.js";
import { start as dialogs } from "./dialogs.js";
import { start as keys } from "./keyboard.js";
import { start as listing, unsend } from "./list.js";
import { start as menus } from "./menus.js";
import { post } from "./net.js";
import { known, refresh } from "./refresh.js";
import { lingering } from "./toast.js";

const MIN_W = 300;
const MIN_H = 140;
const STEP = 24;

function drawer() {
  const button = document.querySelector("[data-drawer]");
  const set = (open) => {
    document.body.classList.toggle("drawer-open", open);
    button.setAttribute("aria-expanded", String(open));
    if (open) document.querySelector("#tree a").focus();
    else button.focus();
  };
  button?.addEventListener("click", () => set(!document.body.classList.contains("drawer-open")));
  document.querySelector("[data-drawer-close]")?.addEventListener("click", () => set(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains("drawer-open")) set(false);
  });
}

function split() {
  const handle = document.querySelector("[data-split]");
  if (!handle) return;
  const main = document.getElementById("main");
  const below = document.body.classList.contains("pane-below");
  const name = below ? "list-height" : "list-width";
  const set = (size) => {
    const most = below ? main.clientHeight - MIN_H : main.clientWidth - 420;
    const kept = Math.round(Math.max(below ? MIN_H : MIN_W, Math.min(size, most)));
    document.documentElement.style.setProperty(below ? "--list-h" : "--list-w", `${kept}px`);
    handle.setAttribute("aria-valuenow", String(Math.round(100 * kept / (below ? main.clientHeight : main.clientWidth))));
    try { localStorage.setItem(name, String(kept)); } catch { /* not remembered */ }
  };
  const move = (event) => {
    const box = main.getBoundingClientRect();
    set(below ? event.clientY - box.top : event.clientX - box.left);
  };
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    handle.classList.add("is-dragged");
    handle.addEventListener("pointermove", move);
  });
  handle.addEventListener("pointerup", () => {
    handle.classList.remove("is-dragged");
    handle.removeEventListener("pointermove", move);
  });
  handle.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP, ArrowUp: -STEP, ArrowDown: STEP }[event.key];
    const now = document.getElementById("list");
    if (!by) return;
    event.preventDefault();
    set((below ? now.offsetHeight : now.offsetWidth) + by);
  });
}

function theme() {
  const form = document.querySelector("[data-theme-form]");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    const body = new FormData(form);
    body.set("theme", next);
    post(form.action, body).catch(() => {});
  });
}

// Several hints in a row are one refresh; what the page knows already, since an act of its own brought it, is none.
function live() {
  let waiting = 0;
  document.body.addEventListener("globalmail:change", ({ detail }) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (detail.modseq > known()) refresh(); }, document.hidden ? 2000 : 150);
  });
}

drawer();
split();
theme();
live();
listing();
keys();
dialogs();
menus();
lingering(unsend);
