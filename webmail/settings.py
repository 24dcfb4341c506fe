"""The one place that reads the environment. Every name has a default, so a checkout runs unconfigured.

`manage.py check` refuses what would be half configured. Names of variables are the names of settings.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import environ
from django.utils.translation import gettext_lazy as _

from core.keyring import load_keys

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where this installation lives ---------------------------------------------------------------
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
"""Databases, blobs, key ring, certificates, the Redis socket and its log. Everything to back up."""
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)
PUBLIC_HOST = env.str("PUBLIC_HOST", default="localhost")
"""The neutral host name: any domain's full address signs in there; also the name in certificates."""
EHLO_NAME = env.str("EHLO_NAME", default=PUBLIC_HOST if PUBLIC_HOST != "localhost" else socket.getfqdn())
"""How this server calls itself in SMTP (RFC 5321 4.1.1.1) and in Received lines."""
LISTEN_HOST = env.str("LISTEN_HOST", default="127.0.0.1")
"""The address every server binds; `0.0.0.0` or `::` opens it to the network."""
WEB_PORT = env.int("WEB_PORT", default=8000)
MX_PORT = env.int("MX_PORT", default=2525)
SUBMISSION_PORT = env.int("SUBMISSION_PORT", default=2587)
SUBMISSIONS_PORT = env.int("SUBMISSIONS_PORT", default=2465)
IMAP_PORT = env.int("IMAP_PORT", default=2143)
IMAPS_PORT = env.int("IMAPS_PORT", default=2993)
POP3_PORT = env.int("POP3_PORT", default=2110)
POP3S_PORT = env.int("POP3S_PORT", default=2995)
CLEARTEXT_LOGIN = env.bool("CLEARTEXT_LOGIN", default=False)
"""IMAP and POP3 take passwords without TLS: for a trusted network, or behind a proxy that does TLS."""
PROXY_PROTOCOL_FROM: list[str] = env.list("PROXY_PROTOCOL_FROM", default=[])
"""Addresses and networks of proxies whose PROXY header (version 1 or 2) IMAP, POP3 and SMTP believe, and demand."""
BASE_URL = env.str("BASE_URL", default=f"http://{PUBLIC_HOST}:{WEB_PORT}")
"""Prefix of links in generated mail, without a trailing slash."""

# --- Size of this installation -------------------------------------------------------------------
WEB_WORKERS = env.int("WEB_WORKERS", default=min(4, os.cpu_count() or 1))
"""Processes of the web server: a page is Python's work, so one uses one core."""
WEB_THREADS = env.int("WEB_THREADS", default=8)
"""Threads (and so database connections) of each web worker."""
SMTPD_PROCESSES = env.int("SMTPD_PROCESSES", default=min(2, os.cpu_count() or 1))
"""Processes that share the SMTP ports: mail is Python's work too, but more than two only for who receives that much."""
DB_THREADS = env.int("DB_THREADS", default=4)
"""Database threads of each asyncio process (smtpd, live updates)."""
WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=4)

# --- Mail ----------------------------------------------------------------------------------------
ROUTES: dict[str, str] = env.json("ROUTES", default={})
"""Domain (or `*`) to `host:port`: deliver there instead of asking DNS for MX records."""
MESSAGE_MAX_BYTES = env.int("MESSAGE_MAX_BYTES", default=50 * 1024 * 1024)
"""Largest message accepted or composed, as it is on the wire (RFC 1870)."""
RETRY_FOR_S = env.int("RETRY_FOR_S", default=5 * 24 * 3600)
"""How long a remote delivery is tried before it bounces (RFC 5321 4.5.4.1)."""
DELAY_NOTICE_S = env.int("DELAY_NOTICE_S", default=4 * 3600)
"""After how long an author is told that his mail has not gone yet (RFC 5321 4.5.4.1)."""
DESTINATIONS: dict[str, dict[str, int]] = env.json("DESTINATIONS", default={})
"""By recipients' domain or `*`: `connections` at once (20) and transactions `per_minute` (0: any number)."""
OUTGOING_IP = env.str("OUTGOING_IP", default="any")
"""Addresses of other mail servers: `any` (IPv4 first), `prefer6`, `4` or `6` alone."""
DNSSEC_RESOLVER = env.str("DNSSEC_RESOLVER", default="")
"""A validating resolver that is trusted (`127.0.0.1`, `127.0.0.1:5353`, `[::1]:53`): with it DANE is used."""
TLS_REPORTS = env.bool("TLS_REPORTS", default=True)
"""Whether domains that ask for it are told daily what became of TLS towards them (RFC 8460)."""
MTA_STS_MODE = env.str("MTA_STS_MODE", default="testing")
"""What our own MTA-STS policy asks of others: `enforce`, `testing` or `none` (no policy)."""
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
"""What `/metrics` wants as `Authorization: Bearer` from other machines; empty: only this machine may read it."""
ACME_DIRECTORY = env.str("ACME_DIRECTORY", default="")
"""The ACME server that gives certificates (`https://acme-v02.api.letsencrypt.org/directory`); empty: none."""
ACME_EMAIL = env.str("ACME_EMAIL", default="")
"""The address that the ACME server may write to."""
ACME_CA_FILE = env.str("ACME_CA_FILE", default="")
"""The authority of an ACME server of one's own, as PEM; empty: the usual ones."""
UNDO_SEND_S = env.int("UNDO_SEND_S", default=5)
"""Seconds a mail sent from the browser is held so that it can be taken back (0 sends at once)."""
TRUSTED_NETWORKS = env.str("TRUSTED_NETWORKS", default="127.0.0.0/8,::1/128").split(",")
"""Clients whose mail the MX does not judge (SPF, DKIM, DMARC): this machine, and gateways that have judged already."""
GREETING_PAUSE_S = env.float("GREETING_PAUSE_S", default=1.0)
"""Seconds before a stranger is greeted at the MX; one that talks meanwhile is refused (0: no pause)."""
TARPIT_S = env.float("TARPIT_S", default=1.0)
"""Seconds that each refusal after a stranger's third keeps him waiting (0: none)."""
REVERSE_DNS = env.str("REVERSE_DNS", default="note")
"""A stranger's name by FCrDNS (RFC 8601 3): `note` writes it into Received, `demand` refuses who has none, `off`."""
DNSBL: list[str] = env.list("DNSBL", default=[])
"""Zones of DNS block lists (RFC 5782); who stands on one is refused at RCPT, except to postmaster."""
GREYLIST_S = env.int("GREYLIST_S", default=0)
"""Seconds after which a stranger's first mail from an unknown sender to a recipient is taken (0: at once)."""
SMTP_RATES: dict[str, int] = {
    "connections": 300,
    "messages": 1_000,
    "recipients": 3_000,
    "unknown": 100,
    "account": 600,
} | env.json("SMTP_RATES", default={})
"""A minute: of a stranger's address (/64 of IPv6) connections, messages, recipients and unknown recipients at the MX;
of an account, messages by SMTP. 0: no limit."""
LMTP_PORT = env.int("LMTP_PORT", default=0)
"""Where a mail server of yours hands over by LMTP (RFC 2033), from TRUSTED_NETWORKS only; 0: nowhere."""
CLAMD = env.str("CLAMD", default="")
"""A virus scanner (clamd): the path of its socket, or `host:port`. Empty: mail is not scanned."""
RSPAMD = env.str("RSPAMD", default="")
"""rspamd's worker: `http://host:port`, or the path of its socket. It judges in place of our own rules while it answers."""
SPAMD = env.str("SPAMD", default="")
"""SpamAssassin's spamd: the path of its socket, or `host:port`; as RSPAMD."""
ARC_TRUSTED_SEALERS: list[str] = env.list("ARC_TRUSTED_SEALERS", default=[])
"""Forwarders whose word on a mail's origin is believed when DMARC fails (RFC 8617); domains as in their d=."""
DMARC_REPORTS = env.bool("DMARC_REPORTS", default=True)
"""Whether domains that ask for it are told daily what mail in their name came here (RFC 7489 7.2)."""
MX_HOSTS: list[str] = env.list("MX_HOSTS", default=[])
"""Host names that domains should name as mail exchangers, the first one first; empty for `EHLO_NAME` alone."""
SPF_INCLUDE = env.str("SPF_INCLUDE", default="")
"""A name whose SPF record lists all our outgoing servers; empty when those are the mail exchangers."""

# --- Signing in ----------------------------------------------------------------------------------
OAUTH_VERIFIER = env.str("OAUTH_VERIFIER", default="")
"""Path of a Python function from a token to the address that it proves (or None): mail programs may then sign in
with OAUTHBEARER and XOAUTH2. Empty: they may not."""

# --- Secrets -------------------------------------------------------------------------------------
SECRET_KEYS = load_keys(env.list("SECRET_KEYS", default=[]), DATA_DIR / "keyring")
SECRET_KEY = SECRET_KEYS[0]
SECRET_KEY_FALLBACKS = SECRET_KEYS[1:]

# --- Stores --------------------------------------------------------------------------------------
REDIS_DIR = DATA_DIR / "redis"
REDIS_URL = env.str("REDIS_URL", default="") or f"unix://{REDIS_DIR / 'redis.sock'}"
OWN_REDIS = not env.str("REDIS_URL", default="")
"""Whether `serve` starts Redis itself, on a 0700 socket under DATA_DIR."""
BLOB_STORE_URL = env.str("BLOB_STORE_URL", default="")
"""Where large messages lie: empty for DATA_DIR/blobs, or `s3://bucket/prefix` (`?endpoint=https://…&region=…`)."""


def database_config(url: str) -> dict[str, Any]:
    """SQLite through our backend by default; PostgreSQL with persistent connections from DATABASE_URL."""
    if url and not url.startswith("sqlite"):
        config = {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True, **env.db_url_config(url)}
        prepared = {"prepare_threshold": 2} if env.bool("DATABASE_PREPARED", default=True) else {}
        return config | {"OPTIONS": prepared | config.get("OPTIONS", {})}
    pragmas = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456; "
        "PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4000"
    )
    name = env.db_url_config(url)["NAME"] if url else DATA_DIR / "mail.db"
    return {
        "ENGINE": "core.sqlite",
        "NAME": name,
        "CONN_MAX_AGE": None,
        # Tests use a file that other threads and processes can open; memory is neither.
        "TEST": {"NAME": DATA_DIR / "test.db"},
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas, "cached_statements": 512},
    }


DATABASES: dict[str, dict[str, Any]] = {"default": database_config(env.str("DATABASE_URL", default=""))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- Django --------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "accounts.admin_app.GlobalmailAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "core",
    "logs_app",
    "accounts",
    "mailstore",
    "mta",
    "mailaccess",
    "webmail",
]
AUTH_USER_MODEL = "accounts.Account"
AUTHENTICATION_BACKENDS = ["accounts.backends.AddressBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"

MIDDLEWARE = [
    "webmail.middleware.watchdog.Watchdog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "webmail.middleware.compression.Compression",
    "core.nul.RefuseNul",
    "webmail.middleware.hosts.KnownHosts",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "webmail.middleware.preferences.Preferences",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "webmail.middleware.policy.ContentPolicy",
    "webmail.middleware.errors.MailErrors",
]
ROOT_URLCONF = "webmail.urls"
WSGI_APPLICATION = "webmail.wsgi.application"
ASGI_APPLICATION = "webmail.asgi.application"
# Hosts of all domains are allowed dynamically by KnownHosts; Django's static list can't know them.
ALLOWED_HOSTS = ["*"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "webmail.context.frame",
            ],
        },
    }
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = "webmail.formats"
TIME_ZONE = "UTC"
DEFAULT_USER_TIME_ZONE = env.str("DEFAULT_USER_TIME_ZONE", default="Asia/Shanghai")

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": env.str("STATIC_STORAGE", default="webmail.staticfiles.Storage")},
}

HTTPS = env.bool("HTTPS", default=BASE_URL.startswith("https://"))
SESSION_ENGINE = "webmail.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = env.int("SESSION_COOKIE_AGE", default=14 * 24 * 3600)
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "webmail.views.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
# Over plain HTTP browsers ignore it and complain in the console of every page.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if HTTPS else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
X_FRAME_OPTIONS = "SAMEORIGIN"
if env.bool("BEHIND_PROXY", default=False):
    # The proxy must set both headers itself; what a client sent as X-Forwarded-Proto it must overwrite.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    MIDDLEWARE.insert(0, "webmail.middleware.proxy.ForwardedAddress")
DATA_UPLOAD_MAX_MEMORY_SIZE = MESSAGE_MAX_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# --- Administration ------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": _("Globalmail administration"),
    "SITE_HEADER": _("Globalmail"),
    "SITE_SUBHEADER": _("Administration"),
    "SITE_SYMBOL": "mail",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "#eef2ff",
            "100": "#dfe6ff",
            "200": "#c5d1fe",
            "300": "#a1b4fb",
            "400": "#7a92f5",
            "500": "#5573ea",
            "600": "#2f55d4",
            "700": "#2746b1",
            "800": "#243d8f",
            "900": "#223772",
            "950": "#172246",
        }
    },
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "accounts.admin_site.icon"}],
    "STYLES": ["accounts.admin_site.stylesheet"],
    "SCRIPTS": ["accounts.admin_site.labels_script"],
    "SIDEBAR": {"show_search": False, "navigation": "accounts.admin_site.navigation"},
}

# --- Workers -------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
    # A page that wakes a worker must not wait for a broker that is gone: one try, no pause.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}

# --- Logs ----------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = "core.logging.configure"
LOGGING = {"level": LOG_LEVEL, "json": env.bool("LOG_JSON", default=False)}
