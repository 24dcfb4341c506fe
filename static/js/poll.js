// Parts of a page that change without any mail arriving: asked for again every few seconds while somebody looks.
const part = () => document.querySelector("[data-live-part][data-poll]");
let timer = 0;

async function renew() {
  const before = part();
  if (!before || document.hidden || before.contains(document.activeElement)) return plan();
  const answer = await fetch(before.dataset.pollUrl || location.href).catch(() => null);
  if (answer?.ok && !answer.redirected) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live-part]");
    if (fresh && before.isConnected && !before.contains(document.activeElement)) {
      if (before.tagName === "DETAILS") fresh.open = before.open;
      before.replaceWith(fresh);
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
