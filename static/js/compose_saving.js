// Saving a draft: a few seconds after the last change, and at the latest every ten. What is not yet on the server
// lies in this browser, so a lost session, network or tab costs nothing.

const AFTER_MS = 2500;
const LATEST_MS = 10_000;
const RETRY_MS = 5000;

export class Saving {
  constructor(form, { collect, csrf, show, saved, conflict, signedOut }) {
    Object.assign(this, { form, collect, csrf, show, saved, conflict, signedOut });
    this.dirty = false;
    this.version = 0;
    this.running = null;
    this.stopped = false;
  }

  get key() {
    return `draft:${this.form.dataset.account}:${this.form.dataset.draft || "new"}`;
  }

  changed() {
    if (this.stopped) return;
    this.dirty = true;
    this.version += 1;
    this.since ||= Date.now();
    clearTimeout(this.timer);
    const wait = Math.max(0, Math.min(AFTER_MS, this.since + LATEST_MS - Date.now()));
    this.timer = setTimeout(() => this.save(), wait);
    clearTimeout(this.localTimer);
    this.localTimer = setTimeout(() => this.keep(), 400);
  }

  // Resolves to true when the server has everything. Only one request runs at a time.
  async save({ close = false } = {}) {
    clearTimeout(this.timer);
    if (this.running) await this.running;
    if (!this.dirty && !close) return true;
    this.running = this.attempt(close);
    const done = await this.running;
    this.running = null;
    return done;
  }

  async attempt(close) {
    const version = this.version;
    this.show("saving");
    const body = this.collect();
    if (close) body.set("close", "1");
    let answer;
    try {
      answer = await fetch(this.form.dataset.saveUrl, {
        method: "POST", body, headers: { "X-CSRFToken": this.csrf(), Accept: "application/json" },
      });
    } catch {
      return this.failed("offline");
    }
    if (answer.redirected || answer.status === 401 || answer.status === 403) return this.lostSession();
    if (answer.status === 409) return this.collided(await answer.json());
    if (!answer.ok) return this.failed("failed", await reason(answer));
    this.accept(await answer.json(), version);
    return true;
  }

  accept(answer, version) {
    this.forget();
    const { dataset } = this.form;
    if (!dataset.draft) Object.assign(dataset, { draft: answer.id, ...answer.urls });
    this.form.elements.revision.value = answer.revision;
    this.since = 0;
    this.dirty = this.version !== version;
    if (this.dirty) this.changed();
    this.show("saved", answer.saved_at);
    this.saved(answer);
  }

  failed(why, text) {
    this.keep();
    this.show(why, text);
    this.timer = setTimeout(() => this.save(), RETRY_MS);
    return false;
  }

  lostSession() {
    this.keep();
    this.show("signed_out");
    this.signedOut();
    this.timer = setTimeout(() => this.save(), RETRY_MS);
    return false;
  }

  collided(answer) {
    this.keep();
    this.show("conflict");
    this.conflict(answer);
    return false;
  }

  // The next save overwrites what the other window wrote.
  overwrite(revision) {
    this.form.elements.revision.value = revision;
    this.dirty = true;
    return this.save();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.localTimer);
  }

  keep() {
    const fields = {};
    for (const [name, value] of this.collect()) {
      if (typeof value === "string" && name !== "csrfmiddlewaretoken") fields[name] = value;
    }
    try { localStorage.setItem(this.key, JSON.stringify(fields)); } catch { /* full or forbidden */ }
  }

  kept() {
    try { return JSON.parse(localStorage.getItem(this.key)); } catch { return null; }
  }

  forget() {
    try { localStorage.removeItem(this.key); } catch { /* forbidden */ }
  }
}

async function reason(answer) {
  try { return (await answer.json()).error; } catch { return ""; }
}
