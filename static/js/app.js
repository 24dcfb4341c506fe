// Every framed page: the list, keys, the drawer, the width of the list, the theme, live updates.
import "./live.js";
import "./message.js";
import { start as keys } from "./keyboard.js";
import { refresh, start as listing } from "./list.js";
import { post } from "./net.js";
import { lingering } from "./toast.js";

const MIN_W = 300;
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
  const set = (width) => {
    const kept = Math.round(Math.max(MIN_W, Math.min(width, main.clientWidth - 420)));
    document.documentElement.style.setProperty("--list-w", `${kept}px`);
    try { localStorage.setItem("list-width", String(kept)); } catch { /* not remembered */ }
  };
  const move = (event) => set(event.clientX - main.getBoundingClientRect().left);
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
    const by = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (by) set(document.getElementById("list").clientWidth + by);
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

// Several hints in a row are one refresh; a hidden page waits until it is looked at.
function live() {
  let waiting = 0;
  document.body.addEventListener("globalmail:change", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => refresh(), document.hidden ? 2000 : 120);
  });
}

drawer();
split();
theme();
live();
listing();
keys();
lingering();
