// The reading pane beside the list, and which row it shows. Without it, opening a mail is a plain link.
import { toast } from "./toast.js";

export const $ = (selector, from = document) => from.querySelector(selector);
export const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
export const list = () => document.getElementById("list");
export const ROW = ".row, .quarantine-row, [data-row]";
export const ROW_LINK = "a.row-link, a.quarantine-link, a[data-row-link]";
export const rows = () => $$(ROW);
export const pane = () => document.getElementById("pane");
export const current = () => $(".row.is-on");
export const listUrl = () => list()?.dataset.url || location.pathname + location.search;
export const isOpen = () => Boolean(pane() && $(".mail, .compose", pane()));

// Whether list and pane are seen at once.
export const isBeside = () => Boolean(pane()) && innerWidth > 760 && !document.body.classList.contains("pane-off");

let asked = 0;

export async function openPane(url, { push = true } = {}) {
  if (!pane()) return location.assign(url);
  const turn = ++asked;
  busy(true);
  const answer = await fetch(url, { headers: { "HX-Request": "true", "HX-Current-URL": location.href, "X-List": list()?.dataset.list ? listUrl() : "" } }).catch(() => null);
  const html = answer?.ok || answer?.status === 422 ? await answer.text() : "";
  if (turn !== asked) return; // another mail was chosen meanwhile
  busy(false);
  if (!answer) return toast($("[data-offline]").textContent.trim(), { bad: true });
  if (html.startsWith("<!doctype")) return location.assign(answer.url); // a page of its own, like what a sent draft leads to
  if (!html || new URL(answer.url).pathname.startsWith("/sign-in")) return location.assign(url);
  show(html);
  const from = list()?.dataset.url;
  if (push && answer.url !== location.href) history.pushState({ from }, "", answer.url);
  else history.replaceState({ from }, "", answer.url);
}

// What is open once more, as it is now, at the same place.
export async function renew() {
  const top = $(".mail-scroll", pane())?.scrollTop;
  const key = document.activeElement.closest?.("#pane") && document.activeElement.dataset.key;
  await openPane(location.pathname + location.search, { push: false });
  $(".mail-scroll", pane())?.scrollTo(0, top);
  if (key) $(`#pane [data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

function busy(is) {
  pane().classList.toggle("is-loading", is);
  pane().setAttribute("aria-busy", String(is));
}

export function show(html) {
  pane().innerHTML = html;
  mark();
  titled();
  if ($("form[data-composer]", pane())) {
    document.activeElement?.blur();
    const to = $("form[data-composer] textarea[name=to]", pane());
    if (!to.value) to.focus(); // who begins to type at once writes there
    import("./compose.js").then((module) => module.start(pane()));
  }
  document.dispatchEvent(new CustomEvent("pane:shown"));
  $(".mail-scroll", pane())?.focus({ preventScroll: true });
}

// The row of the opened mail is marked and in view.
export function mark() {
  const mail = pane() && $("[data-mail]", pane());
  const id = list()?.dataset.by === "thread" ? mail?.dataset.thread : mail?.dataset.entry;
  for (const row of rows()) {
    const on = row.dataset.id === id;
    if (on === row.classList.contains("is-on")) continue;
    row.classList.toggle("is-on", on);
    if (on) $(".row-link", row).setAttribute("aria-current", "true");
    else $(".row-link", row).removeAttribute("aria-current");
    if (on) row.scrollIntoView({ block: "nearest" });
  }
}

// Back to "no mail is selected"; the focus returns to the row that was open.
export function emptyPane({ focus = true } = {}) {
  const place = pane();
  if (!place || !("empty" in place.dataset)) return;
  asked += 1;
  busy(false);
  const row = current();
  place.innerHTML = place.dataset.empty;
  mark();
  titled();
  if (focus) row?.querySelector(".row-link").focus({ preventScroll: true });
}

export function closePane({ push = true } = {}) {
  if (!pane() || !list()) return location.assign(listUrl());
  emptyPane();
  if (push && location.pathname + location.search !== listUrl()) history.pushState({}, "", listUrl());
}

// The title names what is seen, with the inbox's unread mails in front.
export function titled() {
  const unread = Number(document.getElementById("tree")?.dataset.titleUnread || 0);
  const brand = document.title.split(" · ").at(-1);
  const name = $("#mail-subject", pane() || document)?.lastChild?.textContent.trim()
    || $("#compose-title")?.textContent || list()?.dataset.name || document.title.split(" · ")[0].replace(/^\(\d+\) /, "");
  document.title = `${unread ? `(${unread}) ` : ""}${name} · ${brand}`;
}

export function remember() {
  if (pane()) pane().dataset.empty = isOpen() ? $("template#pane-empty")?.innerHTML || "" : pane().innerHTML;
}
