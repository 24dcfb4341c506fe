// Live updates: one stream for the whole browser. The tab that holds the lock listens and tells the others; when it
// closes, the next one takes over. A hint becomes the event `globalmail:change` on <body>.
const LOCK = "globalmail-live";
const RETRY_MS = [1000, 3000, 8000, 20000];

const channel = new BroadcastChannel(LOCK);
const known = new Map();
let failures = 0;

const mailbox = () => document.getElementById("main")?.dataset.mailbox;

function hear({ mailbox: box, modseq }, isState) {
  const before = known.get(box);
  known.set(box, modseq);
  if (isState && (before === undefined || before === modseq) || !isState && before === modseq) return;
  if (box === mailbox()) document.body.dispatchEvent(new CustomEvent("globalmail:change", { detail: { mailbox: box, modseq } }));
}

function offline(is) {
  const sign = document.querySelector("[data-offline]");
  if (sign) sign.hidden = !is;
}

function listen(boxes) {
  const source = new EventSource(`/live/?mailboxes=${boxes.join(",")}`);
  const pass = (event) => {
    const told = JSON.parse(event.data);
    channel.postMessage({ told, isState: event.type === "state" });
    hear(told, event.type === "state");
  };
  source.addEventListener("change", pass);
  source.addEventListener("state", pass);
  source.addEventListener("open", () => {
    failures = 0;
    offline(false);
    channel.postMessage({ offline: false });
  });
  source.addEventListener("error", () => {
    source.close();
    failures += 1;
    if (failures > 1) {
      offline(true);
      channel.postMessage({ offline: true });
    }
    setTimeout(() => lead(boxes), RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
  });
  return source;
}

// Every mailbox that some tab shows; a new one makes the leader listen anew.
const wanted = new Set();
let source = null;

function lead(boxes = [...wanted]) {
  source?.close();
  source = listen(boxes);
}

channel.addEventListener("message", ({ data }) => {
  if (data.told) hear(data.told, data.isState);
  if ("offline" in data) offline(data.offline);
  if (data.want && source && !wanted.has(data.want)) {
    wanted.add(data.want);
    lead();
  }
});

export function start() {
  if (!mailbox()) return;
  wanted.add(mailbox());
  channel.postMessage({ want: mailbox() });
  if (!navigator.locks) return lead();
  navigator.locks.request(LOCK, () => new Promise(() => lead()));
}

start();
