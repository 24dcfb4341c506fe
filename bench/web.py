"""The web side of a measurement: a granian of our own, a signed-in browser without a screen, and counted requests."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import http.client
import statistics
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client

from bench.processes import cpu_s, running
from bench.site import DOMAIN, PASSWORD, environment
from core.ports import free_port
from webmail.serve.programs import web_command

PAGE: Mapping[str, str] = {"Accept-Encoding": "gzip"}
LIST: Mapping[str, str] = {"Accept-Encoding": "gzip", "HX-Request": "true", "HX-Target": "list"}
PANE: Mapping[str, str] = {"Accept-Encoding": "gzip", "HX-Request": "true"}


@contextlib.contextmanager
def web_server() -> Iterator[tuple[int, int]]:
    """(port, pid) of the web server as `serve` starts it: one worker."""
    port = free_port()
    command = [str(port) if before == "--port" else each for before, each in _pairs(web_command())]
    with running(command, port=port, environment=environment(WEB_PORT=port)) as pid:
        yield port, pid


def _pairs(command: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return zip(("", *command), command, strict=False)


class Browser:
    """One kept connection with a session."""

    def __init__(self, port: int, cookies: dict[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies = cookies or {}

    def sign_in(self, name: str) -> None:
        """Through the form."""
        self.get("/sign-in/")
        form = {"login": f"{name}@{DOMAIN}", "password": PASSWORD, "csrfmiddlewaretoken": self.cookies["csrftoken"]}
        status, _ = self._send("POST", "/sign-in/", urllib.parse.urlencode(form), {"Referer": "http://127.0.0.1"})
        if status != 302:
            raise SystemExit(f"sign-in answered {status}")

    def get(self, path: str, headers: Mapping[str, str] = PAGE) -> int:
        """The number of bytes of the body as it came over the wire; ends the program for anything but 200."""
        status, size = self._send("GET", path, None, headers)
        if status != 200:
            raise SystemExit(f"{path} answered {status}")
        return size

    def _send(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> tuple[int, int]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**headers, "Cookie": cookie}
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, sent)
        answer = self._connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, len(answer.read())


@dataclasses.dataclass(frozen=True, slots=True)
class Served:
    """What a series of requests cost. `p50_ms` is seen by the client, alone; `cpu_ms` is the server's, for each."""

    p50_ms: float
    cpu_ms: float
    size: int


def serve_alone(port: int, pid: int, cookies: dict[str, str], path: str, headers: Mapping[str, str], n: int) -> Served:
    """One request after the other."""
    browser = Browser(port, dict(cookies))
    size = [browser.get(path, headers) for _ in range(5)][-1]
    waits, cpu = [], cpu_s(pid)
    for _ in range(n):
        started = time.perf_counter()
        browser.get(path, headers)
        waits.append(time.perf_counter() - started)
    return Served(statistics.median(waits) * 1e3, (cpu_s(pid) - cpu) / n * 1e3, size)


def requests_per_s(
    port: int, cookies: dict[str, str], path: str, headers: Mapping[str, str], *, at_a_time: int, n: int
) -> float:
    """`n` requests by `at_a_time` browsers together."""
    left = iter(range(n))
    lock = threading.Lock()

    def work() -> None:
        browser = Browser(port, dict(cookies))
        while True:
            with lock:
                if next(left, None) is None:
                    return
            browser.get(path, headers)

    threads = [threading.Thread(target=work) for _ in range(at_a_time)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return n / (time.perf_counter() - started)


@functools.cache
def static_files() -> None:
    """What pages refer to by hashed names."""
    call_command("collectstatic", "--noinput", verbosity=0)


def in_process(name: str) -> Client:
    """Django's test client, signed in: everything of a request but the sockets."""
    static_files()
    client = Client(headers={"Host": "127.0.0.1"})
    client.force_login(get_user_model().objects.get(address=f"{name}@{DOMAIN}"))
    return client


def timed(client: Client, path: str, headers: Mapping[str, str], n: int) -> tuple[float, int]:
    """Milliseconds of CPU of the median request, and how many queries one makes."""
    queries = _count_queries(lambda: client.get(path, headers=dict(headers)))
    found = []
    for _ in range(n):
        started = time.thread_time()
        answer = client.get(path, headers=dict(headers))
        found.append(time.thread_time() - started)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}")
    return statistics.median(found) * 1e3, queries


def _count_queries(call: Callable[[], object]) -> int:
    call()
    seen = 0

    def note(execute, query, parameters, many, context):  # type: ignore[no-untyped-def]
        nonlocal seen
        seen += 1
        return execute(query, parameters, many, context)

    with connection.execute_wrapper(note):
        call()
    return seen
