"""Sign a notification so that its receiver knows who sent it, and when. Pure.

Three headers: ``webhook-id`` the delivery, the same at every attempt, so that a
receiver can drop repeats; ``webhook-timestamp`` seconds since 1970 of this attempt, so
that it can drop old ones; ``webhook-signature`` ``v1,`` and the base64 of the
HMAC-SHA256 over ``id.timestamp.body``.

A secret that begins with ``whsec_`` is base64 after that; any other is its own UTF-8.

Source: Standard Webhooks 1.0, "Signature scheme" (standardwebhooks.com).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"


def secret_bytes(secret: str) -> bytes:
    """Return the key a secret stands for.

    Raises:
        ValueError: it begins with ``whsec_``, and what follows is not base64.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret after whsec_ is not base64") from error


def signature(*, secret: str, delivery_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``."""
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret_bytes(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def signed_headers(
    *, secret: str, delivery_id: str, timestamp: int, body: bytes
) -> tuple[tuple[str, str], ...]:
    """Return the headers of one attempt."""
    signed = signature(
        secret=secret, delivery_id=delivery_id, timestamp=timestamp, body=body
    )
    return (
        ("Content-Type", "application/json; charset=utf-8"),
        ("webhook-id", delivery_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", signed),
    )
