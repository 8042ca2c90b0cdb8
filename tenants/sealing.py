"""Secrets of stored rows, sealed at rest with the keys of the installation.

``SIGNALBOX_ENCRYPTION_KEYS`` holds Fernet keys: the first seals, all of them open, so
a new key goes in front and ``manage.py rotate_secrets`` seals everything again.

It stands on the ground floor because two floors keep secrets: `connectors` those of
data sources, `observability` those that sign notifications.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class Unopened(Exception):
    """No key opens what was sealed."""


def _keys() -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in settings.SIGNALBOX_ENCRYPTION_KEYS])
    except (ValueError, TypeError) as error:
        raise ImproperlyConfigured(
            "SIGNALBOX_ENCRYPTION_KEYS: expected Fernet keys (32 bytes in URL-safe "
            "base64), separated by commas."
        ) from error


def seal(plain: str) -> str:
    """Encrypt a secret with the first key; an empty one stays empty."""
    return _keys().encrypt(plain.encode()).decode() if plain else ""


def unseal(sealed: str) -> str:
    """Decrypt what `seal` made.

    Raises:
        Unopened: no key opens it.
    """
    if not sealed:
        return ""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unopened from error


def reseal(sealed: str) -> str:
    """Encrypt again with the first key, keeping the time of the first sealing.

    Raises:
        Unopened: no key opens it.
    """
    try:
        return _keys().rotate(sealed.encode()).decode() if sealed else ""
    except InvalidToken as error:
        raise Unopened from error
