// The list and the tree as the server has them now, swapped in place: nothing that is read, selected or focused moves.
import { $, $$, emptyPane, list, listUrl, mark, rows, titled } from "./pane.js";
import { pickedIds, selected } from "./selection.js";
import { toast } from "./toast.js";

const LIST_ONLY = { "HX-Request": "true", "HX-Target": "list" };

export async function refresh(url = listUrl()) {
  if (!list()) return refreshAround();
  const html = await fetched(url, LIST_ONLY);
  if (html && url === listUrl()) take(html); // else another list was opened meanwhile
}

// A page without a list: the home's parts from the home itself, elsewhere the tree as the inbox's list brings it along.
async function refreshAround() {
  const inbox = $("#tree .node[data-folder]")?.href;
  const html = livePart() ? await fetched(location.href) : inbox && await fetched(inbox, LIST_ONLY);
  if (!html) return;
  const page = new DOMParser().parseFromString(html, "text/html");
  const here = $("#tree [aria-current]")?.dataset.folder;
  keepPlace(() => {
    swapTree(page);
    const fresh = livePart(page);
    if (!fresh) return;
    const picked = new Set($$("input[name=ids]:checked", livePart()).map((box) => box.value));
    livePart()?.replaceWith(fresh);
    for (const box of $$("input[name=ids]", fresh)) box.checked = picked.has(box.value);
  });
  for (const link of $$("#tree [aria-current]")) {
    if (link.dataset.folder === here) continue;
    link.removeAttribute("aria-current");
    link.classList.remove("is-on");
  }
}

const livePart = (page = document) => $("[data-live-part]", page);

async function fetched(url, headers = {}) {
  const answer = await fetch(url, { headers }).catch(() => null);
  return answer?.ok && !answer.redirected ? answer.text() : null;
}

// Puts in what an act answered that was done in the list `url`; the reader may be in another one by now.
export function takeFor(url, html) {
  if (url === listUrl()) take(html);
  else refresh();
}

function take(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  keepPlace(() => {
    swapTree(page);
    swapList(page);
  });
  mark();
  selected();
  titled();
}

let asked = 0;

export async function openList(url, { push = true } = {}) {
  const turn = ++asked;
  list().classList.add("is-loading");
  const answer = await fetch(url, { headers: { "HX-Request": "true", "HX-Target": "list" } }).catch(() => null);
  if (turn !== asked) return; // another list was chosen meanwhile
  list().classList.remove("is-loading");
  if (!answer) return toast($("[data-offline]").textContent.trim(), { bad: true });
  if (!answer.ok || answer.redirected) return location.assign(url);
  $$(".row input:checked").forEach((box) => { box.checked = false; });
  emptyPane({ focus: false });
  const html = await answer.text();
  if (turn !== asked) return;
  take(html);
  if (push) history.pushState({}, "", url);
  document.getElementById("rows")?.scrollTo(0, 0);
}

// How many changes the page knows of: a hint about an older one needs no request.
export const known = () => Number(document.getElementById("tree")?.dataset.modseq || 0);

function swapTree(page) {
  const fresh = page.getElementById("tree");
  const old = document.getElementById("tree");
  if (!fresh || !old) return;
  const open = $("details[open]", old);
  const scroll = old.scrollTop;
  old.replaceWith(fresh);
  if (open) $("details", fresh)?.setAttribute("open", "");
  fresh.scrollTop = scroll;
}

function swapList(page) {
  const fresh = page.getElementById("list");
  if (!fresh) return;
  const before = new Set(rows().map((row) => row.dataset.id));
  const picked = new Set(pickedIds());
  const isSame = list().dataset.url === fresh.dataset.url;
  const whole = isSame && $("[data-whole]", list())?.value;
  list().replaceWith(fresh);
  for (const row of rows()) {
    $("input", row).checked = isSame && picked.has(row.dataset.id);
    row.classList.toggle("is-fresh", isSame && before.size > 0 && !before.has(row.dataset.id) && row.classList.contains("is-new"));
  }
  if (whole && $("[data-whole]", fresh)) $("[data-whole]", fresh).value = whole;
}

// What had the focus, in words that find it again after the swap.
function focusOf(element) {
  if (!element?.closest?.("#list, #tree, [data-live-part]")) return null;
  const row = element.closest(".row");
  const part = element.matches(".row-star") ? ".row-star" : element.matches("input") ? "input" : ".row-link";
  if (row) return `#${row.id} ${part}`;
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.matches("a")) return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
  return element.matches("[data-select-all]") ? "[data-select-all]" : "#rows";
}

function keepPlace(change) {
  const focus = focusOf(document.activeElement);
  const url = list()?.dataset.url;
  const scroller = document.getElementById("rows");
  const top = scroller?.scrollTop || 0;
  const edge = scroller?.getBoundingClientRect().top || 0;
  const first = top > 4 ? rows().find((row) => row.getBoundingClientRect().bottom > edge) : null;
  const offset = first?.getBoundingClientRect().top;
  change();
  const now = document.getElementById("rows");
  if (now && url === list()?.dataset.url) {
    now.scrollTop = top;
    const row = first && document.getElementById(first.id);
    if (row) now.scrollTop += row.getBoundingClientRect().top - offset;
  }
  if (focus) (document.querySelector(focus) || document.querySelector("#rows, [data-row]") || document.getElementById("list-name"))?.focus({ preventScroll: true });
}
