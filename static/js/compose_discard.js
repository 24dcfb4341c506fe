// Throwing a draft away.
import { csrf } from "./net.js";

// It waits until the toast's Undo is over; if the tab goes meanwhile, it is done then.
export function discard(composer) {
  const { form, saving, texts } = composer;
  saving.stop();
  const undo = () => { pending = false; location.assign(form.dataset.url || form.dataset.newUrl); };
  let pending = Boolean(form.dataset.draft);
  const late = () => {
    if (!pending) return;
    pending = false;
    removeEventListener("pagehide", late);
    drop(form);
  };
  if (!pending) { composer.finish(); return composer.goBack(form.elements.next.value); }
  const saved = saving.dirty ? saving.attempt(false) : Promise.resolve();
  saved.then(() => {
    composer.finish();
    addEventListener("pagehide", late);
    setTimeout(late, 8000);
    composer.goBack(form.elements.next.value, { text: texts.discarded, action: { label: texts.undo, run: undo } });
  });
}

export function drop(form) {
  fetch(form.dataset.discardUrl, {
    method: "POST", keepalive: true, headers: { "X-CSRFToken": csrf(), Accept: "application/json" },
  }).catch(() => {});
}
