"""Read settings from the environment; a wrong value stops the start."""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

_BOOLEANS = {"true": True, "false": False}


def env_bool(name: str, *, default: bool) -> bool:
    """Read ``true`` or ``false``, in any case; anything else is refused."""
    text = os.environ.get(name, str(default)).lower()
    if text not in _BOOLEANS:
        raise ImproperlyConfigured(f"{name}={text!r}: expected 'true' or 'false'.")
    return _BOOLEANS[text]


def env_int(name: str, *, default: int, minimum: int = 0) -> int:
    """Read a whole number not below `minimum`."""
    text = os.environ.get(name, str(default))
    try:
        value = int(text)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}={text!r}: expected a whole number."
        ) from error
    if value < minimum:
        raise ImproperlyConfigured(f"{name}={value}: expected at least {minimum}.")
    return value


def env_list(name: str, *, default: list[str]) -> list[str]:
    """Read values separated by commas; blanks around them are dropped."""
    text = os.environ.get(name)
    if text is None:
        return default
    return [part.strip() for part in text.split(",") if part.strip()]


def env_choice(name: str, *, choices: tuple[str, ...], default: str) -> str:
    """Read one of `choices`."""
    value = os.environ.get(name, default)
    if value not in choices:
        raise ImproperlyConfigured(
            f"{name}={value!r}: expected one of {', '.join(choices)}."
        )
    return value


def env_reference(name: str) -> str:
    """Read where a secret is, as ``env:NAME``; a secret itself is refused."""
    value = os.environ.get(name, "")
    if value and not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*", value):
        raise ImproperlyConfigured(
            f"{name}: expected env: and the name of a variable, such as env:MODEL_KEY. "
            "The value itself is not shown; keep the secret in that variable."
        )
    return value


def database_from_url(url: str) -> dict[str, object]:
    """Turn ``sqlite:///path`` or ``postgresql://user:password@host/name`` into a
    ``DATABASES`` entry. ``?host=/run/postgresql`` names a socket directory.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path.removeprefix("/")) or ":memory:",
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
                    "PRAGMA foreign_keys=ON"
                ),
            },
        }
    if parts.scheme in {"postgresql", "postgres"}:
        options = dict(parse_qsl(parts.query))
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.removeprefix("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": options.pop("host", parts.hostname or ""),
            "PORT": str(parts.port or options.pop("port", "")),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": options,
        }
    raise ImproperlyConfigured(
        f"Database address with scheme {parts.scheme!r}: expected sqlite or postgresql."
    )


def cache_from_url(url: str) -> dict[str, object]:
    """Turn ``locmem://`` or ``redis://host:port/0`` (``unix://`` too) into a
    ``CACHES`` entry.
    """
    scheme = urlsplit(url).scheme
    if scheme == "locmem":
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "signalbox",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    if scheme in {"redis", "rediss", "unix"}:
        return {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": url,
            "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 1},
        }
    raise ImproperlyConfigured(
        f"Cache address with scheme {scheme!r}: expected locmem, redis, rediss or unix."
    )


TASK_BACKENDS = {
    "database": "django_tasks_db.DatabaseBackend",
    "immediate": "django_tasks.backends.immediate.ImmediateBackend",
    "rq": "django_tasks_rq.RQBackend",
}


def tasks_from_name(name: str) -> dict[str, object]:
    """Turn ``database``, ``immediate`` or ``rq`` into a ``TASKS`` setting."""
    return {"default": {"BACKEND": TASK_BACKENDS[name]}}


def queues_from_url(url: str) -> dict[str, object]:
    """Turn ``redis://host:port/0`` (``unix://`` too) into an ``RQ_QUEUES`` setting."""
    scheme = urlsplit(url).scheme
    if scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured(
            f"SIGNALBOX_TASKS=rq with a queue at scheme {scheme!r}: set "
            "SIGNALBOX_TASKS_URL (or SIGNALBOX_CACHE_URL) to redis, rediss or unix."
        )
    # Seconds: an hour for one task, a day for its result.
    return {
        "default": {"URL": url, "DEFAULT_TIMEOUT": 3600, "DEFAULT_RESULT_TTL": 86400}
    }


@dataclass(frozen=True, slots=True)
class Email:
    """How e-mail leaves, as Django's ``EMAIL_…`` settings take it.

    Attributes:
        folder: Where messages become files; None for the other ways.
        host: Mail server; "" means that none is set, and nothing can be sent.
        starttls: Begin in the clear, then switch.
        tls: Encrypted from the first byte.
    """

    backend: str
    folder: str | None = None
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    tls: bool = False


_EMAIL_PORTS = {"smtp": 587, "smtps": 465}


def email_from_url(url: str) -> Email:
    """Turn ``smtp://user:password@host:587``, ``smtps://…:465``, ``file:///folder`` or
    ``console://`` into e-mail settings; "" is a mail server nobody has named.

    ``smtp`` switches to TLS before it signs in; ``?tls=off`` keeps it in the clear.
    """
    smtp = "django.core.mail.backends.smtp.EmailBackend"
    if not url:
        return Email(smtp)
    parts = urlsplit(url)
    if parts.scheme == "console":
        return Email("django.core.mail.backends.console.EmailBackend")
    if parts.scheme == "file" and parts.path:
        files = "django.core.mail.backends.filebased.EmailBackend"
        return Email(files, folder=unquote(parts.path))
    if parts.scheme not in _EMAIL_PORTS or not parts.hostname:
        raise ImproperlyConfigured(
            f"SIGNALBOX_EMAIL_URL with scheme {parts.scheme!r}: expected "
            "smtp://host, smtps://host, file:///folder or console://."
        )
    options = dict(parse_qsl(parts.query))
    if options.keys() - {"tls"} or options.get("tls", "off") != "off":
        raise ImproperlyConfigured(
            f"SIGNALBOX_EMAIL_URL with {parts.query!r}: expected nothing or tls=off."
        )
    return Email(
        smtp,
        host=parts.hostname,
        port=parts.port or _EMAIL_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp" and "tls" not in options,
        tls=parts.scheme == "smtps",
    )


def local_keys(path: Path) -> dict[str, str]:
    """Return the keys of a local installation, made once and kept beside its data.

    A production installation brings its own; there is no key everybody knows.
    """
    if path.exists():
        keys: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return keys
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = {
        "secret_key": secrets.token_urlsafe(50),
        "encryption_key": Fernet.generate_key().decode(),
    }
    # Two processes may start at once: the first file wins, the other reads it.
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(keys), encoding="utf-8")
    try:
        os.link(fresh, path)
    except FileExistsError:
        return local_keys(path)
    finally:
        fresh.unlink()
    return keys


def required(name: str) -> str:
    """Read a value a production installation cannot do without."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: production needs it.")
    return value
