"""Settings of the tests: a data folder of their own, plain static files, a database other processes can open."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "GLOBALMAIL_TEST_DATA" not in os.environ:
    # One folder for this process and its children (xdist workers, servers under test).
    os.environ["GLOBALMAIL_TEST_DATA"] = tempfile.mkdtemp(prefix="gm-")
    atexit.register(shutil.rmtree, os.environ["GLOBALMAIL_TEST_DATA"], ignore_errors=True)
_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
_data = Path(os.environ["GLOBALMAIL_TEST_DATA"]) / _worker
_data.mkdir(parents=True, exist_ok=True)
os.environ["DATA_DIR"] = str(_data)
os.environ.setdefault("STATIC_STORAGE", "django.contrib.staticfiles.storage.StaticFilesStorage")
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("GREETING_PAUSE_S", "0")
os.environ.setdefault("TARPIT_S", "0")
os.environ.setdefault("UNDO_SEND_S", "0")

from webmail.settings import *  # noqa: E402, F403
from webmail.settings import DATA_DIR, DATABASES, LOGGING, STATIC_ROOT  # noqa: E402

if DATABASES["default"]["ENGINE"] == "core.sqlite":
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.db"}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
Path(STATIC_ROOT).mkdir(parents=True, exist_ok=True)
LOGGING = {**LOGGING, "level": os.environ["LOG_LEVEL"]}
