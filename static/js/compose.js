// The composer: wires recipients, editor, files and saving to one form that also works without any of this.
import { Attachments } from "./attachments.js";
import { Attempt } from "./attempts.js";
import { discard, drop } from "./compose_discard.js";
import { Notice } from "./compose_notice.js";
import { Saving } from "./compose_saving.js";
import { Editor } from "./editor.js";
import { csrf } from "./net.js";
import { Recipients } from "./recipients.js";

const FIELDS = ["to", "cc", "bcc"];

class Composer {
  constructor(form) {
    this.form = form;
    this.texts = JSON.parse(form.querySelector("script[type='application/json']").textContent);
    this.status = form.querySelector("[data-status]");
    this.notice = new Notice(form.querySelector("[data-notice]"));
    this.touched = form.dataset.touched === "1";
    this.started = false;
    this.attempt = new Attempt();
    this.saving = new Saving(form, {
      csrf,
      collect: () => this.collect(),
      show: (state, detail) => this.showState(state, detail),
      saved: (answer) => this.wasSaved(answer),
      conflict: (answer) => this.askConflict(answer),
      signedOut: () => this.askSignIn(),
    });
    this.attachments = new Attachments(form, {
      csrf,
      uploadUrl: () => this.uploadUrl(),
      limit: Number(form.dataset.limit),
      changed: () => { this.touched = true; },
      texts: this.texts,
    });
    this.recipients = Object.fromEntries(FIELDS.map((name) => [name, this.recipientField(name)]));
    this.editor = new Editor(form, {
      changed: () => { if (this.started) this.changed(); }, // it says so while it loads, too
      ready: () => this.opened(),
      send: () => this.send(),
      save: () => this.saving.save(),
      escape: () => this.close(),
      files: (files) => this.attachments.add(files),
      image: (file) => this.attachments.start(file, { inline: true }),
    });
    this.listen();
    this.restore();
    if (this.editor.isPlain) this.opened();
  }

  recipientField(name) {
    return new Recipients(this.form.querySelector(`[data-recipients=${name}]`), {
      completeUrl: this.form.dataset.completeUrl,
      parseUrl: this.form.dataset.recipientsUrl,
      csrf,
      changed: () => this.changed(),
      texts: this.texts,
    });
  }

  listen() {
    const { form } = this;
    const on = (selector, act) => form.querySelectorAll(selector).forEach((element) => {
      element.addEventListener("click", (event) => { event.preventDefault(); act(element); });
    });
    on("[data-send]", () => this.send());
    on("[data-scheduled]", (button) => this.schedule(button));
    on("[data-save]", () => this.saveNow());
    on("[data-discard]", () => discard(this));
    on("[data-close]", () => this.close());
    on("[data-attach]", () => this.attachments.input.click());
    form.querySelectorAll("[data-toggle]").forEach((button) => { button.hidden = false; });
    on("[data-toggle]", (button) => this.reveal(button.dataset.toggle, true));
    on("[data-format]", () => (this.editor.isPlain ? this.editor.toRich() : this.editor.toPlain()));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    form.elements.subject.addEventListener("input", () => this.changed());
    form.querySelectorAll("select, input[type=checkbox], input[name=schedule_at]").forEach((field) => (
      field.addEventListener("change", () => this.changed())
    ));
    form.querySelector("[data-individual]").addEventListener("change", (event) => this.individually(event.target.checked));
    form.addEventListener("keydown", (event) => this.key(event));
    this.leave = () => this.leaving();
    addEventListener("pagehide", this.leave);
    this.back = () => { if (this.saving.dirty) this.saving.save(); };
    addEventListener("online", this.back);
    document.addEventListener("visibilitychange", this.back);
  }

  key(event) {
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key === "Enter") this.send();
    else if (command && event.key.toLowerCase() === "s") this.saveNow();
    else if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented) this.close();
    else if (event.key === "Enter" && !event.isComposing && !event.defaultPrevented && event.target.matches("input:not([type=checkbox], [type=file])")) this.onward(event.target);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Enter in a line goes to the next one; a form by itself would press its first button, which closes.
  onward(input) {
    if (input.name === "schedule_at") this.form.querySelector("[data-scheduled][value=chosen]").click();
    else if (input.name === "subject") this.editor.focus(true);
    else this.form.elements.subject.focus();
  }

  // The first caret: an answer starts in the text, a new mail at its recipients.
  opened() {
    if (this.started) return;
    this.started = true;
    this.form.dataset.ready = "1";
    if (document.activeElement === this.recipients.to.input) return; // somebody types there already
    if (!this.form.contains(document.activeElement) && document.activeElement !== document.body) return;
    if (!this.form.elements.to.value.trim()) this.recipients.to.input.focus();
    else if (!this.form.elements.subject.value) this.form.elements.subject.focus();
    else this.editor.focus(true);
  }

  reveal(name, focus) {
    this.form.querySelector(`[data-recipients=${name}]`).classList.add("is-shown");
    const button = this.form.querySelector(`[data-toggle=${name}]`);
    if (button) button.hidden = true;
    if (focus) this.recipients[name].input.focus();
  }

  // Everybody stands in one field where each is written to alone.
  individually(on) {
    this.form.classList.toggle("is-individual", on);
    if (on) for (const name of ["cc", "bcc"]) this.recipients[name].moveTo(this.recipients.to);
  }

  changed() {
    this.touched = true;
    this.notice.clear();
    this.saving.changed();
  }

  collect() {
    this.editor.write();
    const body = new FormData(this.form);
    body.delete("file");
    return body;
  }

  // What this browser kept because the server never got it.
  restore() {
    const kept = this.saving.kept();
    if (!kept || Number(kept.revision) < Number(this.form.elements.revision.value)) return this.saving.forget();
    for (const name of FIELDS) {
      if (kept[name] === undefined || kept[name] === this.form.elements[name].value) continue;
      this.recipients[name].take(kept[name], { quiet: true });
      if (kept[name]) this.reveal(name, false);
    }
    this.form.elements.individual.checked = kept.individual === "on";
    this.form.classList.toggle("is-individual", kept.individual === "on");
    if (kept.composer && this.form.elements.composer) this.form.elements.composer.value = kept.composer;
    this.form.elements.subject.value = kept.subject || "";
    this.editor.load({ html: kept.html || "", text: kept.text || "", isPlain: kept.format === "plain" });
    this.touched = true;
    this.saving.dirty = true;
    this.showState("restored");
    this.saving.timer = setTimeout(() => this.saving.save(), 1000);
  }

  async uploadUrl() {
    if (!this.form.dataset.draft) {
      this.saving.dirty = true;
      await this.saving.save();
    }
    return this.form.dataset.attachUrl;
  }

  async saveNow() {
    await this.settle();
    this.saving.dirty = true;
    return this.saving.save({ close: true });
  }

  async settle() {
    await Promise.all(FIELDS.map((name) => this.recipients[name].settle()));
    await this.editor.settle();
  }

  wasSaved(answer) {
    if (answer.url && this.form.dataset.page === "1") history.replaceState(history.state, "", answer.url);
    this.notice.clear();
  }

  // The time is kept while warnings are answered.
  schedule(button) {
    button.closest("details").open = false;
    if (button.value === "chosen" && !this.form.elements.schedule_at.reportValidity()) return;
    this.send("", button.value);
  }

  async send(confirmed = "", scheduled = "") {
    if (this.sending) return;
    this.sending = true;
    this.form.classList.add("is-sending");
    try {
      await this.settle();
      if (this.attachments.busy) this.showState("uploading");
      await this.attachments.idle();
      if (this.complain()) return;
      await this.saving.save();
      await this.post(confirmed, scheduled);
    } finally {
      this.sending = false;
      this.form.classList.remove("is-sending");
    }
  }

  complain() {
    for (const name of FIELDS) {
      const [bad] = this.recipients[name].invalid();
      if (!bad) continue;
      this.notice.tell([`${bad.address}: ${bad.reason || this.texts.invalid}`]);
      this.recipients[name].input.focus();
      return true;
    }
    return false;
  }

  async post(confirmed, scheduled) {
    this.showState("sending");
    const body = this.collect();
    if (confirmed) body.set("confirmed", confirmed);
    if (scheduled) body.set("scheduled", scheduled);
    body.set("attempt", this.attempt.name(body));
    let answer;
    try {
      answer = await fetch(this.form.dataset.sendUrl, {
        method: "POST", body, headers: { "X-CSRFToken": csrf(), Accept: "application/json" },
      });
    } catch {
      this.saving.keep();
      return this.showState("offline");
    }
    if (answer.redirected || answer.status === 401 || answer.status === 403) return this.saving.lostSession();
    const result = await answer.json().catch(() => ({}));
    if (answer.status === 409 && result.revision !== undefined) return this.saving.collided(result);
    if (answer.ok) return this.sent(result);
    this.showState("not_sent");
    // What was posted has been saved all the same.
    if (result.revision !== undefined) this.form.elements.revision.value = result.revision;
    if (result.warnings) return this.ask(result.warnings, scheduled);
    if (result.field === "schedule_at") this.form.querySelector("[data-schedule]").parentElement.open = true;
    this.notice.tell(result.errors || [result.error || this.texts.failed]);
    if (result.field) (this.recipients[result.field]?.input || this.form.elements[result.field])?.focus();
  }

  sent(result) {
    this.finish();
    this.goBack(result.next, { text: result.toast, action: result.undo });
  }

  finish() {
    this.saving.stop();
    this.saving.forget();
    removeEventListener("pagehide", this.leave);
    removeEventListener("online", this.back);
    document.removeEventListener("visibilitychange", this.back);
  }

  // Leave the composer for where it was opened from; the pane swaps, a page of its own loads.
  goBack(next, toast) {
    document.dispatchEvent(new CustomEvent("compose:closed", { detail: { next, toast } }));
  }

  async close() {
    if (!this.touched || !this.form.dataset.draft && !this.saving.dirty) {
      if (this.form.dataset.draft && !this.touched) drop(this.form);
      this.finish();
      return this.goBack(this.form.elements.next.value);
    }
    await this.settle();
    if (!await this.saving.save({ close: true })) return;
    this.finish();
    this.goBack(this.form.elements.next.value, { text: this.texts.kept });
  }

  leaving() {
    if (!this.saving.dirty) return;
    this.saving.keep();
    // A mail that was never saved waits in this browser: made on the server too, it would be there twice.
    if (!this.form.dataset.draft) return;
    const body = this.collect();
    body.set("close", "1");
    fetch(this.form.dataset.saveUrl, { method: "POST", body, keepalive: true, headers: { "X-CSRFToken": csrf() } }).catch(() => {});
  }

  showState(state, detail) {
    this.status.textContent = (this.texts.states[state] || "").replace("%s", detail || "");
    this.status.dataset.state = state;
  }

  ask(warnings, scheduled) {
    const names = warnings.map((warning) => warning.name).join(",");
    this.notice.tell(warnings.map((warning) => warning.text), [
      { label: this.texts.send_anyway, run: () => this.send(names, scheduled) },
      { label: this.texts.go_on, run: () => this.focusWarning(warnings[0].name) },
    ]);
  }

  focusWarning(name) {
    if (name === "subject") this.form.elements.subject.focus();
    else this.editor.focus(false);
  }

  askSignIn() {
    this.notice.tell([this.texts.signed_out], [{ label: this.texts.sign_in, href: this.form.dataset.signInUrl }]);
  }

  askConflict({ revision, saved_at: at }) {
    this.notice.tell([this.texts.conflict.replace("%s", at)], [
      { label: this.texts.keep_mine, run: () => this.saving.overwrite(revision) },
      { label: this.texts.take_other, run: () => { this.saving.forget(); location.assign(this.form.dataset.url); } },
    ]);
  }
}

export function start(root = document) {
  for (const form of root.querySelectorAll("form[data-composer]:not([data-started])")) {
    form.dataset.started = "1";
    new Composer(form);
  }
}

start();
document.addEventListener("pane:shown", () => start());
