// Before anything is painted: scripts run here, and "as the system" becomes light or dark.
const root = document.documentElement;
root.classList.replace("no-js", "js");
const dark = matchMedia("(prefers-color-scheme: dark)");
const chosen = root.dataset.theme;
function paint() {
  if (chosen === "auto" || !chosen) root.dataset.theme = dark.matches ? "dark" : "light";
}
paint();
dark.addEventListener("change", paint);
try {
  for (const [name, property] of [["list-width", "--list-w"], ["list-height", "--list-h"]]) {
    const size = Number(localStorage.getItem(name));
    if (size) root.style.setProperty(property, `${size}px`);
  }
} catch { /* storage is forbidden: the default width */ }
