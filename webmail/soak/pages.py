"""A browser: signs in, writes and sends, looks at pages in between. No page may ever be an error of ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import httpx
from django.conf import settings

from webmail.soak.client import Client
from webmail.soak.ledger import Ledger

BUSY = frozenset({429, 503})
JSON = {"Accept": "application/json"}


@dataclasses.dataclass(slots=True)
class Writing:
    """A mail on its way, and its draft once there is one."""

    token: str
    recipients: list[str]
    draft: int = 0
    revision: int = 0


class Browser(Client[Writing]):
    """One of our people at a browser."""

    def __init__(
        self, name: str, ledger: Ledger, seed: int, people: Mapping[str, int], *, address: str, password: str
    ) -> None:
        super().__init__(name, ledger, seed)
        self._people = people
        self._address = address
        self._password = password
        self._pages: httpx.Client | None = None

    def new(self) -> Writing:
        """The next mail."""
        colleagues = self.chance.sample(sorted(self._people), self.chance.randrange(0, 3))
        remote = ["z@far.example"] if not colleagues or self.chance.random() < 0.5 else []
        return Writing(self.token(), [*colleagues, *remote])

    def attempt(self, item: Writing) -> bool:
        """One step after the other; each is safe to ask for again."""
        if self._pages is None:
            self._pages = signed_in(self._address, self._password)
        if not item.draft and not self._save(self._pages, item):
            return False
        self._look(self._pages)
        return self._send(self._pages, item)

    def forget_connection(self) -> None:
        """The session is in the cookies and stays good; the connection is made anew."""
        if self._pages is not None:
            self._pages.close()
            self._pages = None

    def _save(self, pages: httpx.Client, item: Writing) -> bool:
        """Make the draft. One whose answer is lost stays behind, unsent."""
        answer = self._post(pages, "/compose/", {"subject": "half written", "format": "plain", "text": "…"})
        if answer is None or answer.status_code != 200:
            return False
        item.draft, item.revision = int(answer.json()["id"]), int(answer.json()["revision"])
        return True

    def _send(self, pages: httpx.Client, item: Writing) -> bool:
        content = {"to": ", ".join(item.recipients), "subject": item.token, "text": "soaked\n" * 20, "format": "plain"}
        content |= {"revision": str(item.revision), "save_to_sent": "on", "attempt": item.token}
        answer = self._post(pages, f"/compose/{item.draft}/send", content)
        if answer is None:
            return False
        if answer.status_code != 200:
            self.ledger.violated(f"{item.token}: sending was answered {answer.status_code} {answer.text[:200]}")
            return True
        local = [self._people[each] for each in item.recipients if each in self._people]
        sent = [*local, self._people[self._address]]
        remote = len(local) < len(item.recipients)
        self.ledger.promised("mails from pages", item.token, sent, remote=remote)
        return True

    def _post(self, pages: httpx.Client, path: str, data: Mapping[str, str]) -> httpx.Response | None:
        """None when the server says that it can't now."""
        answer = pages.post(path, data=data, headers=JSON | {"X-CSRFToken": pages.cookies["csrftoken"]})
        return None if answer.status_code in BUSY else self._judged(answer)

    def _look(self, pages: httpx.Client) -> None:
        path = self.chance.choice(["/", "/inbox/", "/search/?q=soak", "/compose/"])
        answer = pages.get(path, follow_redirects=True)
        if answer.status_code not in BUSY:
            self._judged(answer)
            self.ledger.count("pages seen")

    def _judged(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code >= 500:
            self.ledger.violated(f"{answer.request.method} {answer.request.url.path} was answered {answer.status_code}")
        return answer


def signed_in(address: str, password: str) -> httpx.Client:
    """A client with a session. Raises httpx.HTTPError while the server is away."""
    pages = httpx.Client(base_url=settings.BASE_URL, timeout=30, trust_env=False)
    try:
        pages.get("/sign-in/")
        form = {"login": address, "password": password, "csrfmiddlewaretoken": pages.cookies["csrftoken"]}
        answer = pages.post("/sign-in/", data=form)
        if answer.status_code != 302:
            raise httpx.HTTPStatusError("not signed in", request=answer.request, response=answer)
    except (httpx.HTTPError, KeyError) as error:
        pages.close()
        raise httpx.TransportError(str(error)) from error
    return pages
