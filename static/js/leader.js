// Which of a browser's tabs leads. Browsers have locks for this, but only under HTTPS and on localhost; elsewhere a
// lease in localStorage does: renewed while its tab lives, taken by another when it has run out or was given back.
const NAME = "globalmail-leader";
const RENEW_MS = 2000;
const LEASE_MS = 6500;
const SETTLE_MS = 150;

const me = `${Date.now()}-${Math.random()}`;

// Calls `lead` when this tab becomes the leader, `rest` should it cease to be.
export function whenLeading({ lead, rest }) {
  if (navigator.locks) navigator.locks.request(NAME, () => new Promise(() => lead()));
  else lease(lead, rest);
}

function lease(lead, rest) {
  let leads = false;
  const look = () => {
    const now = held();
    if (now.id === me) {
      keep();
      if (!leads) { leads = true; lead(); }
    } else {
      if (leads) { leads = false; rest(); }
      // Two that take it at once: the later write stays, and each looks again before it leads.
      if (now.until < Date.now()) { keep(); setTimeout(look, SETTLE_MS); }
    }
  };
  addEventListener("storage", (event) => { if (event.key === NAME) setTimeout(look, SETTLE_MS * Math.random()); });
  addEventListener("pagehide", () => { if (leads) { leads = false; rest(); localStorage.removeItem(NAME); } });
  addEventListener("pageshow", look);
  setInterval(look, RENEW_MS);
  look();
}

function held() {
  try { return JSON.parse(localStorage.getItem(NAME)) || { until: 0 }; } catch { return { until: 0 }; }
}

function keep() {
  try { localStorage.setItem(NAME, JSON.stringify({ id: me, until: Date.now() + LEASE_MS })); } catch { /* forbidden: no tab leads */ }
}
