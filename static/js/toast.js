// One line at the bottom, with Undo where there is one.
const HOME = () => document.getElementById("toasts");
const LINGER_MS = 6000;

export function toast(text, { action, bad = false, linger = LINGER_MS } = {}) {
  if (!text) return;
  const line = document.createElement("div");
  line.className = `toast${bad ? " is-bad" : ""}`;
  line.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (action) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: action.label });
    button.addEventListener("click", () => { line.remove(); action.run(); });
    line.append(button);
  }
  HOME().replaceChildren(line);
  setTimeout(() => line.remove(), linger);
}

export function lingering() {
  document.querySelectorAll("[data-toast]").forEach((line) => setTimeout(() => line.remove(), LINGER_MS));
}
