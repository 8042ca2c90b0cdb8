"""Secrets of data sources: sealed at rest (`tenants.sealing`), opened for one call.

A value may also name where the secret is: ``env:SIGNALBOX_SOURCE__ACME__WEATHER`` or
``file:/run/secrets/signalbox/acme/weather``. Both carry the tenant's key, so that no
tenant can name another's secret, or the portal's own.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from django.conf import settings

from tenants import sealing

DEFAULT_DIRECTORY = "/run/secrets/signalbox"
_LARGEST_FILE = 64 * 1024
_HINT_FROM = 12  # a shorter secret shows nothing of itself


class SecretFault(Exception):
    """A secret that cannot be used.

    Attributes:
        rule: ``secret-unopened``, ``secret-reference`` or ``secret-missing``; the
            words are in ``connectors.messages``.
    """

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def seal(plain: str) -> str:
    """Encrypt a secret with the first key; an empty one stays empty."""
    return sealing.seal(plain)


def unseal(sealed: str) -> str:
    """Decrypt what `seal` made.

    Raises:
        SecretFault: ``secret-unopened``: no key opens it.
    """
    try:
        return sealing.unseal(sealed)
    except sealing.Unopened as error:
        raise SecretFault("secret-unopened") from error


def resolve(value: str, *, tenant_key: str) -> str:
    """Follow a reference to the secret it names; any other value is the secret.

    Raises:
        SecretFault: ``secret-reference`` for a place the tenant may not name, and
            ``secret-missing`` when nothing is there.
    """
    if value.startswith("env:"):
        return _from_environment(value.removeprefix("env:"), tenant_key)
    if value.startswith("file:"):
        return _from_file(value.removeprefix("file:"), tenant_key)
    return value


def hint(plain: str) -> str:
    """Return what may be shown of a secret: its reference, or its last two letters."""
    if plain.startswith(("env:", "file:")):
        return plain
    return f"…{plain[-2:]}" if len(plain) >= _HINT_FROM else "…"


def environment_prefix(tenant_key: str) -> str:
    """Return what the names of a tenant's variables begin with."""
    return f"SIGNALBOX_SOURCE__{tenant_key.upper().replace('-', '_')}__"


def secret_directory(tenant_key: str) -> Path:
    """Return the folder a tenant's secret files lie in."""
    root = getattr(settings, "SIGNALBOX_SECRET_DIRECTORY", DEFAULT_DIRECTORY)
    return Path(root) / tenant_key


def _from_environment(name: str, tenant_key: str) -> str:
    # No double underscore in the last part: tenant "acme" must not reach the
    # variables of a tenant "acme__b".
    pattern = re.escape(environment_prefix(tenant_key)) + r"[A-Z0-9]+(_[A-Z0-9]+)*"
    if not re.fullmatch(pattern, name):
        raise SecretFault("secret-reference")
    if not os.environ.get(name):
        raise SecretFault("secret-missing")
    return os.environ[name]


def _from_file(name: str, tenant_key: str) -> str:
    directory = secret_directory(tenant_key)
    try:
        path = Path(name).resolve()
        if not path.is_relative_to(directory.resolve()):
            raise SecretFault("secret-reference")
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE)
        secret = content.decode().strip()
    except (OSError, ValueError) as error:  # ValueError: a NUL, or not UTF-8
        raise SecretFault("secret-missing") from error
    if not secret:
        raise SecretFault("secret-missing")
    return secret
