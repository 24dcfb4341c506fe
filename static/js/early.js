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
  const width = localStorage.getItem("list-width");
  if (width) root.style.setProperty("--list-w", `${Number(width)}px`);
} catch { /* storage is forbidden: the default width */ }
