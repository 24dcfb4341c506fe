"""Thunderbird without a window, driven from inside through Marionette (Mozilla's remote protocol for its own tests)."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.ports import free_port
from tests.mailaccess.programs.conftest import ADDRESS, PASSWORD, Home, program

START_S = 90
SCRIPT_S = 60
PREFERENCES = {
    "app.donation.eoy.version.viewed": 99,
    "app.update.auto": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultClient": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "mail.biff.on_new_window": False,
    "mail.biff.show_alert": False,
    "mail.server.default.autosync_offline_stores": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True,
    "mail.winsearch.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}
"""It talks to nobody but our server, and does nothing but what it is told: of what it hears while it fetches bodies in the
background it takes no notice until it looks again."""
PRELUDE = """
const [arguments_, done] = [arguments[0], arguments[arguments.length - 1]];
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const pause = ms => new Promise(resolve => {
  const timer = Cc["@mozilla.org/timer;1"].createInstance(Ci.nsITimer);
  timer.initWithCallback({ notify: () => { globalThis.kept.delete(timer); resolve(); } }, ms, 0);
  globalThis.kept ??= new Set();
  globalThis.kept.add(timer);
});
const until = async (what, test) => {
  for (let tries = 0; tries < 500; tries++) {
    const found = await test();
    if (found) { return found; }
    await pause(100);
  }
  throw new Error("never: " + what);
};
const server = () => MailServices.accounts.allServers.find(each => each.type == "imap");
const folder = name => server().rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags[name]);
const headers = where => [...where.msgDatabase.enumerateMessages()];
const subjects = where => headers(where).map(each => each.mime2DecodedSubject).sort();
const named = (where, subject) => headers(where).find(each => each.mime2DecodedSubject == subject);
const updated = where => new Promise(resolve => {
  where.QueryInterface(Ci.nsIMsgImapMailFolder).updateFolderWithListener(null, {
    OnStartRunningUrl() {}, OnStopRunningUrl(url, code) { resolve(code); },
  });
});
"""


class Thunderbird:
    """One running program. `run` gives the value of a script."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SCRIPT_S + 10)
        self._file = self._socket.makefile("rb")
        self._count = 0
        self._read()
        self._say("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {}}})
        self._say("Marionette:SetContext", {"value": "chrome"})
        self._say("WebDriver:SetTimeouts", {"script": SCRIPT_S * 1000})

    def run(self, script: str, **values: Any) -> Any:
        """The value of the body of an async function, run inside the program. `values` are constants of it."""
        names = f"const {{ {', '.join(values)} }} = arguments_;" if values else ""
        text = f"{PRELUDE}{names}(async () => {{ {script} }})().then(done, error => done({{ error: String(error) }}));"
        asked = {"script": text, "args": [values], "sandbox": "system", "newSandbox": True}
        found = self._say("WebDriver:ExecuteAsyncScript", asked)["value"]
        assert not (isinstance(found, dict) and "error" in found), found
        return found

    def quit(self) -> None:
        """End it as its user would."""
        with contextlib.suppress(OSError, ValueError):
            self._say("Marionette:Quit", {"flags": ["eForceQuit"]})
        self._socket.close()

    def _say(self, command: str, values: dict[str, Any]) -> Any:
        self._count += 1
        message = json.dumps([0, self._count, command, values]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._read()
        assert error is None, error
        return result

    def _read(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            byte = self._file.read(1)
            if not byte:
                raise ValueError("it hung up")
            size += byte
        return json.loads(self._file.read(int(size[:-1])))


@contextlib.contextmanager
def running(home: Home) -> Iterator[Thunderbird]:
    """Start it with a new profile; kill it if it does not end."""
    profile = home.path / "profile"
    profile.mkdir()
    port = free_port()
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    lines.append(f'user_pref("marionette.port", {port});')
    home.write("profile/user.js", "\n".join(lines))
    command = [program("thunderbird"), "--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
    with (home.path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--profile", str(profile)], cwd=home.path, env=home.environment(), stdin=subprocess.DEVNULL,
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        client = Thunderbird(_listening(port, process, home.path / "log"))
        yield client
        client.quit()
        process.wait(60)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(profile, ignore_errors=True)


def _listening(port: int, process: subprocess.Popen[bytes], log: Path) -> int:
    for _ in range(START_S * 5):
        assert process.poll() is None, log.read_text(errors="replace")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=60):
            return port
        time.sleep(0.2)
    raise AssertionError(log.read_text(errors="replace"))


def add_account(client: Thunderbird, *, port: int, certificate: Path) -> None:
    """An IMAP account with TLS, its password known and our certificate trusted."""
    text = certificate.read_text().partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]
    client.run(
        """
        const store = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
        Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService)
          .rememberValidityOverride("127.0.0.1", port, {}, store.constructX509FromBase64(trusted), true);
        const made = MailServices.accounts.createIncomingServer(address, "127.0.0.1", "imap");
        made.port = port;
        made.socketType = Ci.nsMsgSocketType.SSL;
        made.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
        made.password = password;
        const identity = MailServices.accounts.createIdentity();
        identity.email = address;
        const account = MailServices.accounts.createAccount();
        account.addIdentity(identity);
        account.incomingServer = made;
        """,
        port=port, address=ADDRESS, password=PASSWORD, trusted="".join(text.split()),
    )  # fmt: skip
