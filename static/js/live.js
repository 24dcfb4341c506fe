// Live updates: one stream for the whole browser. The tab that leads listens and tells the others; when it closes, the
// next one takes over. A hint becomes the event `globalmail:change` on <body>; the page knows whether it is news.
import { whenLeading } from "./leader.js";

const RETRY_MS = [1000, 3000, 8000, 20000];

const channel = new BroadcastChannel("globalmail-live");
const wanted = new Set(); // mailboxes that some tab shows
let source = null;
let failures = 0;
let retry = 0;

const mailbox = () => document.getElementById("main")?.dataset.mailbox;

function hear({ mailbox: box, modseq }) {
  if (box === mailbox()) document.body.dispatchEvent(new CustomEvent("globalmail:change", { detail: { mailbox: box, modseq } }));
}

function offline(is) {
  const sign = document.querySelector("[data-offline]");
  if (sign) sign.hidden = !is;
}

// `state` tells where a mailbox stands when the stream opens, `change` that it has moved on.
function listen() {
  source?.close();
  source = new EventSource(`/live/?mailboxes=${[...wanted].join(",")}`);
  const pass = (event) => {
    const told = JSON.parse(event.data);
    channel.postMessage({ told });
    hear(told);
  };
  source.addEventListener("change", pass);
  source.addEventListener("state", pass);
  source.addEventListener("open", () => {
    failures = 0;
    tell(false);
  });
  source.addEventListener("error", again);
}

function tell(isOffline) {
  offline(isOffline);
  channel.postMessage({ offline: isOffline });
}

function again() {
  source.close();
  failures += 1;
  if (failures > 1) tell(true);
  clearTimeout(retry);
  retry = setTimeout(listen, RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
}

// The one that leads asks what the others show; whoever shows something new says so.
function lead() {
  channel.postMessage({ ask: true });
  listen();
}

function rest() {
  clearTimeout(retry);
  source?.close();
  source = null;
}

function want(box) {
  if (wanted.has(box)) return;
  wanted.add(box);
  if (source) listen();
}

channel.addEventListener("message", ({ data }) => {
  if (data.told) hear(data.told);
  if ("offline" in data) offline(data.offline);
  if (data.ask && mailbox()) channel.postMessage({ want: mailbox() });
  if (data.want) want(data.want);
});

// Back on the network: not the longest pause.
addEventListener("online", () => {
  if (!source || source.readyState !== EventSource.CLOSED) return;
  clearTimeout(retry);
  listen();
});

function start() {
  if (!mailbox()) return;
  wanted.add(mailbox());
  channel.postMessage({ want: mailbox() });
  whenLeading({ lead, rest });
}

start();
