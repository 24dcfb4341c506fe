// The list of keys, and the one question: an act that can't be undone.
export function sure(text, label) {
  const dialog = document.getElementById("sure");
  dialog.querySelector("[data-question]").textContent = text;
  dialog.querySelector("[value=yes]").textContent = label.trim();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

// The list of keys, with those alone that do something on this page as it is now.
export function help() {
  const keys = document.getElementById("keys");
  for (const line of keys.querySelectorAll("[data-needs]")) line.hidden = !document.querySelector(line.dataset.needs);
  keys.showModal();
}

// A button whose act can't be taken back asks first, where there is something that it would do.
const agreed = new WeakSet();

async function ask(event) {
  const button = event.submitter;
  const form = event.target;
  if (!button?.dataset.sure || agreed.delete(button)) return;
  if (form.matches("[data-row-form]") && !form.querySelector("input[name=ids]:checked")) return;
  event.preventDefault();
  if (!await sure(button.dataset.sure, button.textContent)) return;
  agreed.add(button);
  form.requestSubmit(button);
}

export function start() {
  document.addEventListener("submit", ask);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) help();
    if (event.target.matches("dialog")) event.target.close(); // its backdrop
  });
}
