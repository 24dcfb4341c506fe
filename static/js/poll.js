// Parts of a page that change without any mail arriving: asked for again every few seconds while somebody looks.
const part = () => document.querySelector("[data-live-part][data-poll]");
let timer = 0;

// A row with the focus of the keys gets it again; whoever is at a button or a field is left alone.
const row = () => document.activeElement.closest?.("[data-row]");
const isBusy = (place) => place.contains(document.activeElement) && !document.activeElement.matches("[data-row], [data-row-link]");

async function renew() {
  const before = part();
  if (!before || document.hidden || isBusy(before)) return plan();
  const answer = await fetch(before.dataset.pollUrl || location.href).catch(() => null);
  if (answer?.ok && !answer.redirected) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live-part]");
    if (fresh && before.isConnected && !isBusy(before)) {
      if (before.tagName === "DETAILS") fresh.open = before.open;
      const id = row()?.id;
      before.replaceWith(fresh);
      const again = id && (document.getElementById(id) || fresh.querySelector("[data-row]"));
      if (again) (again.querySelector("[data-row-link]") || again).focus({ preventScroll: true });
    }
  }
  return plan();
}

function plan() {
  clearTimeout(timer);
  const found = part();
  if (found) timer = setTimeout(renew, Number(found.dataset.poll) * 1000);
}

plan();
document.addEventListener("pane:shown", plan);
document.addEventListener("visibilitychange", () => { if (!document.hidden) plan(); });
