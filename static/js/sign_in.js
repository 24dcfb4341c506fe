// Niceties of the sign-in page; the form works without.
const field = document.getElementById("password");
const eye = document.querySelector("[data-show-password]");
const caps = document.querySelector("[data-caps]");

eye?.addEventListener("click", () => {
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  eye.setAttribute("aria-pressed", String(!shown));
  field.focus();
});
field?.addEventListener("keyup", (event) => { caps.hidden = !event.getModifierState?.("CapsLock"); });
