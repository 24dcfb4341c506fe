// On a phone each value of a list has its column's name beside it, written as the column's head is: one capital.
document.addEventListener("DOMContentLoaded", () => {
  for (const cell of document.querySelectorAll("[data-label]")) {
    const name = cell.dataset.label;
    cell.dataset.label = name.charAt(0).toLocaleUpperCase(document.documentElement.lang || "en") + name.slice(1);
  }
});
