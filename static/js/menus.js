// Menus that fold out of <details data-menu>: one at a time, arrows walk through them, Escape closes.
const OPEN = "details[data-menu][open]";
const items = (menu) => [...menu.querySelectorAll("a, button, input, select, textarea")].filter((each) => each.checkVisibility());

function walk(menu, by) {
  const all = items(menu);
  const at = all.indexOf(document.activeElement);
  all.at(at < 0 && by < 0 ? -1 : (at + by) % all.length)?.focus();
}

function pressed(event) {
  const menu = document.querySelector(OPEN);
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (menu.contains(document.activeElement) && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    walk(menu, event.key === "ArrowDown" ? 1 : -1);
  } else return;
  event.preventDefault();
}

// Opened by a key, the first entry gets the focus; with the pointer it stays where it is.
function clicked(event) {
  for (const menu of document.querySelectorAll(OPEN)) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const menu = event.target.closest?.("summary")?.parentElement;
  if (menu?.matches("[data-menu]") && event.detail === 0 && !menu.open) setTimeout(() => items(menu).find((each) => !each.closest("summary"))?.focus());
}

// Enter in a menu's field is its own button, not the first one of the form around it.
function entered(event) {
  if (event.key !== "Enter" || event.isComposing || event.target.name !== "new_label") return;
  event.preventDefault();
  if (event.target.value.trim()) event.target.parentElement.querySelector("button").click();
}

export function start() {
  document.addEventListener("keydown", entered);
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", clicked);
}
