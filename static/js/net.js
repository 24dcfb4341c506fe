// Requests of our own: the token from the cookie (it changes when somebody signs in again in another tab).
export function csrf() {
  const cookie = document.cookie.split("; ").find((each) => each.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : document.querySelector("[name=csrfmiddlewaretoken]")?.value || "";
}

// Post a form's fields and get JSON back; throws an Error with a line for people.
export async function post(url, body) {
  let answer;
  try {
    answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": csrf() } });
  } catch {
    throw new Error(document.querySelector("[data-offline]")?.textContent.trim() || "Offline");
  }
  if (answer.redirected && new URL(answer.url).pathname.startsWith("/sign-in")) {
    location.reload();
    return {};
  }
  if (answer.status === 204) return {};
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error || `${answer.status}`);
  return found;
}
