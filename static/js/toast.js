// One line at the bottom, with Undo where there is one. It waits while it is pointed at or has the focus.
const HOME = () => document.getElementById("toasts");
const LINGER_MS = 6000;
const UNDO_MS = 10000;
const KEPT = "toast";

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
  leave(line, linger);
}

function leave(line, linger) {
  let timer = setTimeout(() => line.remove(), linger);
  const hold = () => clearTimeout(timer);
  const go = () => { hold(); timer = setTimeout(() => line.remove(), 2500); };
  for (const name of ["mouseenter", "focusin"]) line.addEventListener(name, hold);
  for (const name of ["mouseleave", "focusout"]) line.addEventListener(name, go);
}

// Said on the next page, with what can be undone by an address while there is time.
export function stash({ text, action }) {
  const undo = action?.url ? { ...action, until: Date.now() + action.seconds * 1000 } : null;
  try { sessionStorage.setItem(KEPT, JSON.stringify({ text, undo })); } catch { /* storage is forbidden: it stays unsaid */ }
}

export function lingering(takeBack) {
  document.querySelectorAll("[data-toast]").forEach((line) => leave(line, line.querySelector("button") ? UNDO_MS : LINGER_MS));
  try {
    const { text, undo } = JSON.parse(sessionStorage.getItem(KEPT)) || {};
    sessionStorage.removeItem(KEPT);
    const linger = undo ? undo.until - Date.now() : 0;
    toast(text, linger > 0 ? { action: { label: undo.label, run: () => takeBack(undo.url) }, linger } : {});
  } catch { /* storage is forbidden */ }
}
