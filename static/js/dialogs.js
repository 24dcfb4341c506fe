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

export function start() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) document.getElementById("keys").showModal();
    if (event.target.matches("dialog")) event.target.close(); // its backdrop
  });
}
