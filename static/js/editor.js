// The composer's side of the editor: the frame when there is one, the plain text area until then and otherwise.

const ROOT = document.documentElement;

function theme() {
  const chosen = ROOT.dataset.theme || ROOT.dataset.bsTheme;
  if (chosen === "dark" || chosen === "light") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export class Editor {
  constructor(form, host) {
    this.form = form;
    this.host = host;
    this.frame = form.querySelector("[data-editor-frame]");
    this.area = form.querySelector("[data-editor-text]");
    this.html = form.querySelector("input[name=html]");
    this.format = form.querySelector("input[name=format]");
    this.inner = null;
    this.area.addEventListener("input", () => host.changed());
    // Posted without scripts the form is plain text; only a running editor makes it HTML.
    if (this.format.dataset.wanted === "html") this.open();
  }

  get isPlain() {
    return this.format.value === "plain";
  }

  // The frame is loaded only now, so without scripts the text area simply stays.
  open() {
    this.frame.host = {
      ...this.host,
      html: () => this.html.value,
      plain: () => this.toPlain(),
      ready: (inner) => this.ready(inner),
    };
    this.theme = theme();
    this.frame.src = `${this.frame.dataset.src}?theme=${this.theme}`;
    this.show(true);
    this.watchTheme();
  }

  // The editor's skin is chosen when it loads, so another theme means to load it again with what is written.
  watchTheme() {
    this.watcher?.disconnect();
    this.watcher = new MutationObserver(() => {
      if (!this.form.isConnected) this.watcher.disconnect();
      else if (!this.isPlain && this.inner && theme() !== this.theme) { this.write(); this.inner = null; this.open(); }
    });
    this.watcher.observe(ROOT, { attributes: true, attributeFilter: ["data-theme", "data-bs-theme"] });
  }

  show(rich) {
    this.frame.hidden = !rich;
    this.area.hidden = rich;
    this.format.value = rich ? "html" : "plain";
  }

  ready(inner) {
    this.inner = inner;
    this.form.classList.add("has-editor");
    this.host.ready();
  }

  // Bring the fields of the form up to date with what is seen.
  write() {
    if (!this.isPlain && this.inner) this.html.value = this.inner.html();
  }

  async settle() {
    if (!this.isPlain && this.inner) await this.inner.uploaded();
  }

  toPlain() {
    if (this.inner) this.area.value = this.inner.text().replace(/\n\n/g, "\n"); // it puts an empty line between paragraphs
    this.show(false);
    this.inner = null;
    this.frame.removeAttribute("src");
    this.area.focus();
    this.host.changed();
  }

  toRich() {
    const holder = document.createElement("div");
    holder.textContent = this.area.value;
    this.html.value = holder.innerHTML.split("\n").map((line) => `<p>${line || "<br>"}</p>`).join("");
    this.open();
    this.host.changed();
  }

  load({ html, text, isPlain }) {
    this.html.value = html;
    this.area.value = text;
    if (isPlain) this.show(false);
    else if (this.inner) this.inner.set(html);
  }

  focus(atStart) {
    if (this.inner && !this.isPlain) return this.inner.focus(atStart);
    this.area.focus();
    if (atStart) this.area.setSelectionRange(0, 0);
  }
}
