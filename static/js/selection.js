// Which rows are selected, and the bar that says so.
import { $, $$, ROW, list, rows } from "./pane.js";

let anchor = null; // where a range of selected rows begins

export const pickedIds = () => $$(`:is(${ROW}) input:checked`).map((box) => box.value);

export function selected() {
  const form = $("[data-list-form]");
  const all = form && $("[data-select-all]", form);
  if (!all) return form?.classList.remove("is-selecting");
  const ids = pickedIds();
  rows().forEach((row) => row.classList.toggle("is-picked", $("input", row).checked));
  form.classList.toggle("is-selecting", ids.length > 0);
  all.checked = ids.length > 0 && ids.length === rows().length;
  all.indeterminate = ids.length > 0 && !all.checked;
  const whole = $("[data-whole]", form);
  if (whole && !all.checked) whole.value = "";
  const total = Number(list().dataset.total || 0);
  $("[data-bulk-count]", form).textContent = ids.length ? (whole?.value ? total || whole.dataset.word : ids.length) : "";
  const offer = $("[data-bulk-whole]", form);
  const isMore = total ? total > ids.length : Boolean($(".pager [rel]"));
  if (offer) offer.hidden = !(all.checked && isMore && !whole.value);
}

// A box was clicked; with Shift, all between it and the one before.
export function pick(box, event) {
  const row = box.closest(ROW);
  if (event.shiftKey && anchor) {
    const all = rows();
    const [from, to] = [all.indexOf(document.getElementById(anchor)), all.indexOf(row)].sort((a, b) => a - b);
    if (from >= 0) all.slice(from, to + 1).forEach((each) => { $("input", each).checked = box.checked; });
  }
  anchor = row.id;
  selected();
}

export function pickAll(is) {
  rows().forEach((row) => { $("input", row).checked = is; });
  selected();
}

export function pickWhole() {
  $("[data-whole]").value = "1";
  selected();
}
