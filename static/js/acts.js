// Acting on mails: one request, whose answer brings the line to say, the Undo and the list as it is now.
import { sure } from "./dialogs.js";
import { post } from "./net.js";
import { $, closePane, isBeside, list, listUrl, openPane, pane, renew, rows } from "./pane.js";
import { refresh, takeFor } from "./refresh.js";
import { pickedIds } from "./selection.js";
import { toast } from "./toast.js";

const LEAVES = new Set(["delete", "junk", "not_junk", "move", "empty"]);
const LEAVES_LISTS = { todo: ["folder", "done"], done: ["todo"], restore: ["todo", "done"] };
const RENEWS = new Set(["label", "unlabel", "label_new", "todo", "done", "restore"]);
const STARS = new Set(["star", "unstar", "unstar_thread"]);
const MOVES_ON = new Set(["done", "todo"]); // buttons of rows in the to-do lists

const leaves = (name) => LEAVES.has(name) || Boolean(LEAVES_LISTS[name]?.includes(list()?.dataset.list));

export async function act(form, button) {
  const body = new FormData(form);
  if (button) body.set(button.name, button.value);
  if (button?.dataset.act) body.set("act", button.dataset.act);
  if (STARS.has(button?.name) || MOVES_ON.has(button?.name)) ["ids", "threads", "whole"].forEach((name) => body.delete(name));
  if (MOVES_ON.has(button?.name)) {
    body.delete(button.name);
    body.set("act", button.name);
    body.set("ids", button.value);
  }
  if (body.get("act") !== "label_new") body.delete("new_label");
  else body.delete("label");
  if (form.dataset.confirm && !await sure(form.dataset.confirm, button.textContent)) return;
  await send(body, form);
}

async function send(body, form) {
  body.set("view", listUrl());
  let answer;
  try {
    answer = await post("/act/", body);
  } catch (error) {
    return toast(error.message, { bad: true });
  }
  tell(answer);
  await after(body, form, answer.part);
}

function tell({ toast: text, undo }) {
  const action = undo && { label: undo.label, run: () => takeBack(undo.token) };
  toast(text, { action, linger: action ? 10000 : 5000 });
}

async function takeBack(token) {
  const body = new FormData();
  body.set("undo", token);
  await send(body, document.body);
}

async function after(body, form, part) {
  const name = body.get("act");
  const mail = pane() && $("[data-mail]", pane());
  const inPane = Boolean(form.closest("#pane"));
  const ids = new Set([...body.getAll("ids"), ...body.getAll("threads")]);
  const opened = mail && (ids.has(mail.dataset.entry) || ids.has(mail.dataset.thread));
  const goes = mail && (name === "empty" || opened && (leaves(name) || name === "unread" && inPane));
  const next = goes && leaves(name) && isBeside() && nextAfter(ids);
  if (leaves(name)) rows().forEach((row) => { if (ids.has(row.dataset.id)) $("input", row).checked = false; });
  if (goes && !next) closePane();
  if (inPane && (name === "star" || name === "unstar")) starred(form, name === "star");
  if (part) takeFor(body.get("view"), part);
  else await refresh();
  if (next) await openPane($(".row-link", next).href);
  else if (opened && !goes && RENEWS.has(name)) await renew();
}

function starred(form, is) {
  const button = $(".star", form);
  button.classList.toggle("is-on", is);
  button.setAttribute("aria-pressed", String(is));
  button.value = is ? "unstar" : "star";
}

function nextAfter(ids) {
  const all = rows();
  const last = all.findLastIndex((row) => ids.has(row.dataset.id));
  return all.slice(last + 1).find((row) => !ids.has(row.dataset.id)) || all.slice(0, Math.max(last, 0)).findLast((row) => !ids.has(row.dataset.id));
}

// ---- dragging rows to folders ----------------------------------------------------------------------------------
const KIND = "application/x-globalmail-ids";

function drag(event) {
  const row = event.target.closest?.(".row");
  if (!row || !$("[data-bulk]")) return;
  const ids = pickedIds().includes(row.dataset.id) ? pickedIds() : [row.dataset.id];
  event.dataTransfer.setData(KIND, ids.join(","));
  event.dataTransfer.effectAllowed = "move";
  const label = Object.assign(document.createElement("div"), { className: "drag-label", textContent: ids.length > 1 ? ids.length : $(".row-subject", row).textContent });
  document.body.append(label);
  event.dataTransfer.setDragImage(label, 14, 18);
  setTimeout(() => label.remove());
  ids.forEach((id) => document.getElementById(`e${id}`)?.classList.add("is-dragged"));
}

function over(event) {
  const node = event.target.closest?.("[data-drop]:not(.is-on), [data-drop-act]:not(.is-on)");
  document.querySelectorAll(".is-target").forEach((each) => { if (each !== node) each.classList.remove("is-target"); });
  if (!node || !event.dataTransfer.types.includes(KIND)) return;
  event.preventDefault();
  node.classList.add("is-target");
}

async function drop(event) {
  const node = event.target.closest?.("[data-drop]:not(.is-on), [data-drop-act]:not(.is-on)");
  const ids = event.dataTransfer.getData(KIND);
  document.querySelectorAll(".is-target").forEach((each) => each.classList.remove("is-target"));
  if (!node || !ids) return;
  event.preventDefault();
  const body = new FormData();
  body.set("act", node.dataset.dropAct || { trash: "delete", junk: "junk" }[node.dataset.role] || "move");
  if (node.dataset.folder) body.set("folder", node.dataset.folder);
  if (node.dataset.label) body.set("label", node.dataset.label);
  chosen(body, ids.split(","));
  await send(body, document.body);
}

// Rows are mails, or conversations of a folder.
function chosen(body, ids) {
  const byThread = list()?.dataset.by === "thread";
  if (byThread) body.set("folder_id", list().dataset.folder);
  ids.forEach((id) => body.append(byThread ? "threads" : "ids", id));
}

export function dragging() {
  document.addEventListener("dragstart", drag);
  document.addEventListener("dragend", () => document.querySelectorAll(".is-dragged").forEach((row) => row.classList.remove("is-dragged")));
  document.addEventListener("dragover", over);
  document.addEventListener("drop", drop);
}
