// Files of a draft: uploaded in the background as soon as they are chosen, dropped or pasted.
// XMLHttpRequest and not fetch: only it tells how far an upload is.

const shown = (bytes) => (bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / (1 << 20)).toFixed(1).replace(".0", "")} MB`);

export class Attachments {
  constructor(form, { csrf, uploadUrl, limit, changed, texts }) {
    Object.assign(this, { form, csrf, uploadUrl, limit, changed, texts });
    this.list = form.querySelector("[data-files]");
    this.input = form.querySelector("input[type=file]");
    this.running = new Set();
    this.input.addEventListener("change", () => { this.add(this.input.files); this.input.value = ""; });
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.sum = form.querySelector("[data-files-sum]");
    new MutationObserver(() => this.summed()).observe(this.list, { childList: true, subtree: true, attributeFilter: ["data-size"] });
    this.summed();
    this.acceptDrops();
  }

  // How many and how much of what is allowed, once there are several.
  summed() {
    const text = this.sum.dataset.words.replace("{n}", this.count).replace("{size}", shown(this.used())).replace("{limit}", shown(this.limit));
    this.sum.hidden = this.count < 2;
    if (this.sum.textContent !== text) this.sum.textContent = text;
  }

  acceptDrops() {
    let depth = 0;
    const over = (on) => this.form.classList.toggle("is-drop", on);
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    this.form.addEventListener("dragenter", (event) => { if (hasFiles(event)) { depth += 1; over(true); } });
    this.form.addEventListener("dragleave", (event) => { if (hasFiles(event) && --depth <= 0) { depth = 0; over(false); } });
    this.form.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
    this.form.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      over(false);
      this.add(event.dataTransfer.files);
    });
  }

  add(files) {
    for (const file of files) this.start(file);
  }

  used() {
    return [...this.list.children].reduce((sum, item) => sum + Number(item.dataset.size || 0), 0);
  }

  get busy() {
    return this.running.size > 0;
  }

  get count() {
    return this.list.children.length;
  }

  idle() {
    return Promise.all([...this.running].map((upload) => upload.done));
  }

  // Upload one file; resolves to what the server says about it, or to null.
  start(file, { inline = false } = {}) {
    const item = this.item(file);
    if (!inline) this.list.append(item);
    // base64 makes a file four thirds as long (RFC 2045 6.8), and the limit is for the whole mail.
    if ((this.used() + (inline ? file.size : 0)) * 4 / 3 > this.limit) {
      this.fail(item, this.texts.too_large, inline);
      return Promise.resolve(null);
    }
    const upload = { request: new XMLHttpRequest() };
    upload.done = this.send(upload, { file, item, inline });
    this.running.add(upload);
    upload.done.finally(() => { this.running.delete(upload); this.changed(); });
    item.querySelector("[data-cancel]").addEventListener("click", () => upload.request.abort());
    return upload.done;
  }

  async send(upload, { file, item, inline }) {
    const url = await this.uploadUrl();
    if (!url) return this.fail(item, this.texts.failed, inline);
    return new Promise((resolve) => {
      const { request } = upload;
      request.open("POST", url);
      request.setRequestHeader("X-CSRFToken", this.csrf());
      request.setRequestHeader("Accept", "application/json");
      request.upload.addEventListener("progress", (event) => this.progress(item, event));
      request.addEventListener("load", () => resolve(this.loaded(request, item, inline)));
      request.addEventListener("error", () => resolve(this.fail(item, this.texts.failed, inline)));
      request.addEventListener("abort", () => { item.remove(); resolve(null); });
      const body = new FormData();
      body.append("file", file, file.name || "image.png");
      if (inline) body.append("inline", "1");
      request.send(body);
    });
  }

  loaded(request, item, inline) {
    let answer = {};
    try { answer = JSON.parse(request.responseText); } catch { /* an error page of a proxy */ }
    if (request.status !== 200 || !answer.id) return this.fail(item, answer.error || this.texts.failed, inline);
    if (!inline) item.outerHTML = answer.html;
    return answer;
  }

  item(file) {
    const template = document.createElement("template");
    template.innerHTML = this.form.querySelector("[data-file-template]").innerHTML.trim();
    const item = template.content.firstElementChild;
    item.dataset.size = file.size;
    item.querySelector("[data-name]").textContent = file.name;
    return item;
  }

  progress(item, event) {
    if (!event.lengthComputable) return;
    const percent = Math.round(event.loaded / event.total * 100);
    const bar = item.querySelector("progress");
    if (bar) bar.value = percent;
    const state = item.querySelector("[data-state]");
    if (state) state.textContent = `${percent} %`;
  }

  fail(item, reason, inline) {
    item.classList.add("file-bad");
    item.dataset.size = 0;
    item.querySelector("progress")?.remove();
    item.querySelector("[data-state]").textContent = reason;
    if (inline) this.list.append(item);
    item.querySelector("[data-cancel]").addEventListener("click", () => item.remove());
    return null;
  }

  async clicked(event) {
    const button = event.target.closest("[data-detach]");
    if (!button) return;
    event.preventDefault();
    const item = button.closest("[data-file]");
    const answer = await fetch(button.formAction, {
      method: "POST", headers: { "X-CSRFToken": this.csrf(), Accept: "application/json" },
    }).catch(() => null);
    if (!answer?.ok) return;
    const next = item.nextElementSibling || item.previousElementSibling;
    item.remove();
    (next?.querySelector("button, a") || this.form.querySelector("[data-attach]"))?.focus();
    this.changed();
  }
}
