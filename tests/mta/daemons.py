"""Debian's clamd, rspamd and spamd, each with a rule or signature of the tests' own, on sockets of the tests' own."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

from core.ports import free_port

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
WORD = "XJSC4JDB"
"""In a subject: spam for rspamd and for SpamAssassin."""

CLAMD = """DatabaseDirectory {folder}
LocalSocket {folder}/clamd.sock
Foreground yes
StreamMaxLength 1M
"""
RSPAMD = """
options {{ pidfile = "{folder}/rspamd.pid"; tempdir = "{folder}"; hs_cache_dir = "{folder}"; url_tld = "{folder}/tld"; }}
logging {{ type = "file"; filename = "{folder}/rspamd.log"; level = "error"; }}
actions {{ reject = 15; add_header = 6; }}
lua = "{folder}/rules.lua";
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
"""
RULES = """
rspamd_config:register_symbol({{name = "OUR_WORD", score = 12.0, group = "ours", callback = function(task)
  return (task:get_header("Subject") or ""):find("{word}", 1, true) ~= nil
end}})
"""
SPAMASSASSIN = f"header OUR_WORD Subject =~ /{WORD}/\nscore OUR_WORD 12\n"


@contextlib.contextmanager
def clamd(folder: pathlib.Path) -> Iterator[str]:
    """The path of its socket."""
    (folder / "ours.ndb").write_text(f"Ours.EICAR:0:*:{EICAR.hex()}\n")
    (folder / "clamd.conf").write_text(CLAMD.format(folder=folder))
    with _running(["clamd", "-c", str(folder / "clamd.conf")]):
        path = str(folder / "clamd.sock")
        _wait(path)
        yield path


@contextlib.contextmanager
def rspamd(folder: pathlib.Path) -> Iterator[str]:
    """Its address."""
    port = free_port()
    (folder / "tld").write_text("com\ntest\n")
    (folder / "rules.lua").write_text(RULES.format(word=WORD))
    (folder / "rspamd.conf").write_text(RSPAMD.format(folder=folder, port=port))
    with _running(["rspamd", "-f", "-i", "-c", str(folder / "rspamd.conf")]):
        _wait(f"127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def spamd(_folder: pathlib.Path) -> Iterator[str]:
    """host:port. As root it becomes nobody before it reads its rules, so they lie where nobody may read."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / "init.pre").write_text("loadplugin Mail::SpamAssassin::Plugin::Check\n")
        (folder / "local.cf").write_text(SPAMASSASSIN)
        where = [f"--configpath={name}", f"--siteconfigpath={name}"]
        how = ["-L", "-x", "-m", "1", "--min-children=1", "-s", "stderr"]
        with _running(["spamd", "-i", f"127.0.0.1:{port}", *how, *where]):
            _wait(f"127.0.0.1:{port}")
            yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[None]:
    """/usr/sbin is not on everybody's path."""
    path = "/usr/sbin:/usr/bin:/bin"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": path})
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _wait(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if address.startswith("/"):
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(address)
            else:
                host, _, port = address.rpartition(":")
                socket.create_connection((host, int(port)), timeout=60).close()
        except OSError:
            assert time.monotonic() < deadline, address
            time.sleep(0.05)
        else:
            return
