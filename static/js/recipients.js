// A recipient field: chips with completion over a plain text field that holds the truth.
// The server parses what is typed or pasted, so that page, browser and SMTP agree on what an address is.

const SIMPLE = /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+\.[^\s@<>,;:"()[\]\\]+$/;
const COMPLETE_AFTER_MS = 120;

export class Recipients {
  constructor(root, { completeUrl, parseUrl, csrf, changed, texts }) {
    Object.assign(this, { root, completeUrl, parseUrl, csrf, changed, texts });
    this.field = root.querySelector("textarea");
    this.people = [];
    this.options = [];
    this.active = -1;
    this.pending = Promise.resolve();
    const early = !this.field.defaultValue && document.activeElement === this.field;
    const text = this.field.value;
    this.build();
    if (early) { // what was typed before this stood here is typed on
      this.field.value = "";
      this.input.value = text;
      this.input.focus();
      setTimeout(() => this.typed());
    } else if (this.field.value.trim()) this.take(this.field.value, { quiet: true });
  }

  build() {
    const id = this.field.id;
    this.list = make("ul", { className: "chips" });
    this.input = make("input", {
      type: "text", className: "chips-input", id: `${id}-input`, autocomplete: "off", spellcheck: false,
    });
    setAll(this.input, {
      role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": `${id}-options`,
      inputmode: "email",
    });
    this.menu = make("ul", { className: "options", id: `${id}-options`, hidden: true });
    setAll(this.menu, { role: "listbox", "aria-label": this.texts.suggestions });
    this.status = make("span", { className: "visually-hidden" });
    this.status.setAttribute("role", "status");
    this.field.hidden = true;
    this.root.querySelector("label").htmlFor = this.input.id;
    this.list.append(make("li", { className: "chips-last" }, this.input));
    this.field.after(this.list, this.menu, this.status);
    this.listen();
  }

  listen() {
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("paste", (event) => this.pasted(event));
    this.input.addEventListener("blur", () => this.left());
    this.list.addEventListener("click", (event) => { if (event.target === this.list) this.input.focus(); });
    this.menu.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.choose(Number(option.dataset.number));
    });
  }

  key(event) {
    if (event.isComposing) return;
    const open = !this.menu.hidden;
    if (event.key === "ArrowDown" && open) this.move(1);
    else if (event.key === "ArrowUp" && open) this.move(-1);
    else if (event.key === "Escape" && open) { this.close(); event.stopPropagation(); }
    else if ((event.key === "Enter" || event.key === "Tab") && open && this.active >= 0) this.choose(this.active);
    else if (event.key === "Enter" && this.input.value.trim() && !event.ctrlKey && !event.metaKey) this.takeInput();
    else if ([",", ";", "，", "；"].includes(event.key) && this.input.value.trim() && !this.quoted()) this.takeInput();
    else if (event.key === "Backspace" && !this.input.value) { this.removeLast(); return; }
    else return;
    event.preventDefault();
  }

  quoted() {
    return (this.input.value.match(/"/g) || []).length % 2 === 1;
  }

  typed() {
    clearTimeout(this.timer);
    this.write();
    const text = this.input.value.trim();
    if (!text) return this.close();
    this.timer = setTimeout(() => this.complete(text), COMPLETE_AFTER_MS);
  }

  async complete(text) {
    try {
      const url = new URL(this.completeUrl, location.href);
      url.searchParams.set("q", text);
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok || this.input.value.trim() !== text) return;
      const taken = new Set(this.people.map((person) => person.address.toLowerCase()));
      const found = (await answer.json()).people;
      this.show(found.filter((person) => !taken.has(person.address.toLowerCase())));
    } catch { this.close(); }
  }

  show(people) {
    this.options = people;
    this.menu.replaceChildren(...people.map((person, number) => this.option(person, number)));
    this.menu.hidden = people.length === 0;
    this.input.setAttribute("aria-expanded", String(people.length > 0));
    this.active = -1;
    if (people.length) this.move(1);
    this.status.textContent = people.length ? this.texts.found.replace("%s", people.length) : "";
  }

  option(person, number) {
    const item = make("li", { className: "option", id: `${this.menu.id}-${number}` });
    setAll(item, { role: "option", "aria-selected": "false" });
    item.dataset.number = number;
    const words = make("span", { className: "option-words" });
    words.append(make("b", {}, person.name || person.address), make("small", {}, person.address));
    item.append(make("span", { className: `avatar avatar-s ${person.colour || ""}` }, person.initials || ""), words);
    if (person.detail) item.append(make("em", {}, person.detail));
    return item;
  }

  move(step) {
    const items = [...this.menu.children];
    this.active = (this.active + step + items.length) % items.length;
    items.forEach((item, number) => item.setAttribute("aria-selected", String(number === this.active)));
    this.input.setAttribute("aria-activedescendant", items[this.active].id);
    items[this.active].scrollIntoView({ block: "nearest" });
  }

  choose(number) {
    const { name, address } = this.options[number];
    this.input.value = "";
    this.close();
    this.add({ name, address, valid: true, reason: "" });
    this.input.focus();
  }

  close() {
    clearTimeout(this.timer);
    this.menu.hidden = true;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  pasted(event) {
    const text = event.clipboardData.getData("text");
    if (!/[@\n]/.test(text)) return;
    event.preventDefault();
    this.take(this.input.value + text);
    this.input.value = "";
  }

  left() {
    this.close();
    if (this.input.value.trim()) this.takeInput();
  }

  takeInput() {
    const text = this.input.value;
    this.input.value = "";
    this.close();
    return this.take(text);
  }

  // Turn text into chips; the promise resolves when they are there.
  take(text, options = {}) {
    this.pending = this.pending.then(() => this.parse(text)).then((people) => {
      people.forEach((person) => this.add(person, { quiet: true }));
      this.write(options.quiet);
    });
    this.unparsed = text;
    return this.pending;
  }

  async parse(text) {
    try {
      const body = new URLSearchParams({ text });
      const answer = await fetch(this.parseUrl, { method: "POST", body, headers: { "X-CSRFToken": this.csrf() } });
      if (answer.ok) return (await answer.json()).people;
    } catch { /* no network: take it as it is, the server looks again when it is sent */ }
    finally { this.unparsed = ""; }
    return text.split(/[,;，；\n]+/).map((each) => each.trim()).filter(Boolean).map((address) => (
      { name: "", address, valid: SIMPLE.test(address) || address.includes("<"), reason: "" }
    ));
  }

  add(person, { quiet = false } = {}) {
    const key = person.address.toLowerCase();
    if (this.people.some((each) => each.address.toLowerCase() === key)) return;
    this.people.push(person);
    this.list.lastElementChild.before(this.chip(person));
    if (!quiet) this.write();
  }

  chip(person) {
    const label = person.name || person.address;
    const item = make("li", { className: person.valid ? "person" : "person person-bad" });
    item.title = person.reason || (person.name ? `${person.name} <${person.address}>` : person.address);
    const remove = make("button", { type: "button", className: "person-x" }, "×");
    remove.setAttribute("aria-label", this.texts.remove.replace("%s", label));
    remove.addEventListener("click", () => this.remove(person, item));
    const text = make("span", { className: "person-name" }, label);
    item.append(text);
    if (!person.valid && person.reason) item.append(make("span", { className: "visually-hidden" }, person.reason));
    text.addEventListener("dblclick", () => this.edit(person, item));
    item.append(remove);
    return item;
  }

  edit(person, item) {
    this.remove(person, item);
    this.input.value = format(person);
    this.input.focus();
  }

  remove(person, item) {
    this.people = this.people.filter((each) => each !== person);
    item.remove();
    this.write();
    this.input.focus();
  }

  removeLast() {
    const last = this.people.at(-1);
    if (last) this.remove(last, this.list.children[this.list.children.length - 2]);
  }

  // The text field always holds everything, also what is not yet a chip.
  write(quiet = false) {
    const typed = this.input.value.trim();
    this.field.value = [...this.people.map(format), ...(typed ? [typed] : [])].join(", ");
    if (!quiet) this.changed();
  }

  // Everybody goes over to another field.
  moveTo(other) {
    this.pending = this.settle().then(() => {
      for (const person of this.people) other.add(person, { quiet: true });
      this.people = [];
      while (this.list.children.length > 1) this.list.firstElementChild.remove();
      this.write(true);
      other.write();
    });
    other.pending = Promise.all([other.pending, this.pending]);
  }

  async settle() {
    if (this.input.value.trim()) await this.takeInput();
    await this.pending;
  }

  invalid() {
    return this.people.filter((person) => !person.valid);
  }
}

function format({ name, address }) {
  if (!name) return address;
  const quoted = /[^\p{L}\p{N} ]/u.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : name;
  return `${quoted} <${address}>`;
}

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function setAll(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}
