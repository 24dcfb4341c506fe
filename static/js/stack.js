// A conversation in the pane: a folded mail unfolds where it stands, and folds again by its head.
import { act } from "./acts.js";
import { $ } from "./pane.js";
import { toast } from "./toast.js";

const rows = new WeakMap(); // what an unfolded mail was before

// Whether the click was about folding. Without scripts, and for drafts, a row is a link.
export function unfold(event) {
  const row = event.target.closest(".stack .thread-row:not([data-draft])");
  if (row) {
    event.preventDefault();
    open(row);
    return true;
  }
  const head = event.target.closest(".stack-letter .letter-head");
  const item = head?.closest(".stack-letter");
  if (!item || !rows.has(item) || event.target.closest("a, button, summary, details, dl")) return false;
  fold(item);
  return true;
}

async function open(row) {
  const item = row.closest("li");
  item.setAttribute("aria-busy", "true");
  const headers = { "HX-Request": "true", "HX-Target": "letter" };
  const answer = await fetch(row.href, { headers }).catch(() => null);
  item.removeAttribute("aria-busy");
  if (!answer) return toast($("[data-offline]").textContent.trim(), { bad: true });
  if (!answer.ok || answer.redirected) return location.assign(row.href);
  const id = row.pathname.split("/").at(-2);
  rows.set(item, item.innerHTML);
  item.className = "stack-letter";
  item.dataset.letter = id;
  item.innerHTML = await answer.text();
  document.dispatchEvent(new CustomEvent("pane:shown"));
  item.tabIndex = -1;
  item.focus({ preventScroll: true });
  if (row.classList.contains("is-unread")) read(id);
}

function read(id) {
  const form = $("[data-mail] [data-act-form]");
  if (!form) return;
  const fields = document.createElement("form");
  fields.action = form.action;
  for (const [name, value] of [["act", "read"], ["ids", id], ["quiet", "1"]]) {
    fields.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  act(fields);
}

function fold(item) {
  item.innerHTML = rows.get(item).replace("is-unread", "");
  item.className = "";
  delete item.dataset.letter;
  rows.delete(item);
  $("a", item).focus({ preventScroll: true });
}
