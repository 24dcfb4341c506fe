// The reading pane: fits the frame to its mail, marks as read once shown, keys and menus. Everything here also
// works without it, as links and forms.

import { Attempt } from "./attempts.js";
import { listUrl, openPane } from "./pane.js";
import { csrf, post } from "./net.js";
import { refresh, takeFor } from "./refresh.js";
import { toast } from "./toast.js";

const attempts = new WeakMap();
const THEME = document.documentElement;

// The frame runs no script (see views/body.py), so its height is measured from here.
function fit(frame) {
  const page = frame.contentDocument;
  if (!page?.body || frame.dataset.fitted) return;
  frame.dataset.fitted = "1";
  paint(frame);
  const measure = () => {
    const wide = page.documentElement.scrollWidth > page.documentElement.clientWidth ? 16 : 0;
    frame.style.height = `${Math.ceil(page.body.getBoundingClientRect().height) + wide + 2}px`;
  };
  measure();
  new ResizeObserver(measure).observe(page.body);
  page.addEventListener("load", measure, true);
  page.addEventListener("keydown", (event) => {
    // Keys pressed in the mail mean the same as beside it.
    const copy = new KeyboardEvent("keydown", {
      key: event.key, code: event.code, ctrlKey: event.ctrlKey, metaKey: event.metaKey,
      shiftKey: event.shiftKey, altKey: event.altKey, bubbles: true, cancelable: true,
    });
    if (!document.querySelector("[data-mail]")?.dispatchEvent(copy)) event.preventDefault();
  });
  frame.classList.add("is-fitted");
}

function paint(frame) {
  const theme = THEME.dataset.theme === "auto" || !THEME.dataset.theme
    ? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light") : THEME.dataset.theme;
  const root = frame.contentDocument?.documentElement;
  if (root) root.dataset.theme = theme;
}

new MutationObserver(() => document.querySelectorAll("[data-letter-frame]").forEach(paint))
  .observe(THEME, { attributes: true, attributeFilter: ["data-theme", "data-bs-theme"] });

async function markSeen(mail) {
  delete mail.dataset.unseen;
  const form = mail.querySelector("[data-act-form]");
  if (!form) return;
  const body = new FormData(form);
  body.set("act", "read");
  body.set("quiet", "1");
  body.set("view", listUrl());
  const headers = { Accept: "application/json", "X-CSRFToken": csrf() };
  const answer = await fetch(form.action, { method: "POST", body, headers }).catch(() => null);
  const { part } = answer?.ok ? await answer.json().catch(() => ({})) : {};
  if (part) takeFor(body.get("view"), part);
  else refresh();
}

// A mail that unfolds later brings frames of its own.
function frames(mail) {
  for (const frame of mail.querySelectorAll("[data-letter-frame]:not([data-watched])")) {
    frame.dataset.watched = "1";
    frame.addEventListener("load", () => { delete frame.dataset.fitted; fit(frame); });
    if (frame.contentDocument?.readyState === "complete" && frame.contentDocument.URL !== "about:blank") fit(frame);
  }
  mail.querySelectorAll("[data-copy], [data-print]").forEach((button) => { button.hidden = false; });
}

function open(mail) {
  frames(mail);
  if (mail.dataset.opened) return;
  mail.dataset.opened = "1";
  if ("unseen" in mail.dataset && document.visibilityState === "visible") markSeen(mail);
  grow(mail.querySelector("[data-quick] textarea"));
}

function grow(area) {
  if (!area) return;
  area.addEventListener("input", () => {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
    area.form.classList.toggle("is-open", area.value.trim() !== "");
  });
  area.addEventListener("focus", () => area.form.classList.add("is-open"));
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) area.form.querySelector("[name=send]").click();
  });
}

// A quick reply goes without leaving the mail; what must be looked at first opens in the composer.
async function quick(form, button) {
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  const body = new FormData(form, button);
  if (!attempts.has(form)) attempts.set(form, new Attempt());
  body.set("attempt", attempts.get(form).name(body));
  const said = await post(form.action, body).catch((error) => toast(error.message, { bad: true }));
  delete form.dataset.busy;
  if (!said) return;
  attempts.delete(form); // the same words again are another mail
  form.reset();
  if (said.error) toast(said.error, { bad: true });
  if (said.open) openPane(said.open);
  else document.dispatchEvent(new CustomEvent("compose:closed", { detail: { next: said.next, toast: { text: said.toast, action: said.undo } } }));
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-quick]") || !document.getElementById("pane")) return;
  event.preventDefault();
  quick(event.target, event.submitter);
});

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("is-done");
  setTimeout(() => button.classList.remove("is-done"), 1200);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-print]");
  if (button && "copy" in button.dataset) copy(button);
  else if (button) window.print();
});

export function start() {
  document.querySelectorAll("[data-mail]").forEach(open);
  document.querySelectorAll("[data-letter-place]").forEach(frames);
}

start();
document.addEventListener("pane:shown", start);
