// What is said above the text of a mail, with buttons to answer.
export class Notice {
  constructor(place) {
    this.place = place;
  }

  clear() {
    this.place.hidden = true;
    this.place.replaceChildren();
  }

  tell(lines, actions = []) {
    const words = document.createElement("div");
    words.append(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
    const buttons = actions.map((action) => this.button(action));
    this.place.replaceChildren(words, ...buttons);
    this.place.hidden = false;
    (buttons[0] || this.place).focus();
  }

  button({ label, run, href }) {
    const button = document.createElement(href ? "a" : "button");
    Object.assign(button, { textContent: label, className: "button button-s" });
    if (href) Object.assign(button, { href, target: "_blank", rel: "noopener" });
    else Object.assign(button, { type: "button", onclick: () => { this.clear(); run(); } });
    return button;
  }
}
