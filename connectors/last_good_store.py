"""Last good answers in Django's cache, one per tenant, operation and arguments."""

from __future__ import annotations

import hashlib
import logging
import pickle
from collections.abc import Mapping
from dataclasses import replace

from django.core.cache import cache
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from connectors.outcomes import Origin, Success
from connectors.parameters import Argument
from connectors.specs import OperationSpec
from tenants.scope import Actor

LARGEST = 1024 * 1024

logger = logging.getLogger(__name__)

_CACHE_ERRORS = (OSError, RedisError, ConnectionInterrupted)


def name_of(
    spec: OperationSpec, arguments: Mapping[str, Argument], actor: Actor
) -> str:
    """Return the name of a call's answer: tenant, operation, version, arguments.

    The user is part of it only where the operation asks for the user.
    """
    user = actor.user_id if _asks_for_user(spec) else None
    call = repr((sorted(arguments.items()), user))
    digest = hashlib.sha256(call.encode("utf-8", "replace")).hexdigest()
    return f"last-good:{actor.tenant_id}:{spec.key}:{spec.version}:{digest}"


def write(name: str, good: Success, *, seconds: int) -> None:
    """Keep an answer, unless it is larger than a mebibyte."""
    packed = pickle.dumps(replace(good, origin=Origin.LAST_GOOD))
    if len(packed) > LARGEST:
        return
    try:
        cache.set(name, packed, timeout=seconds)
    except _CACHE_ERRORS:
        logger.warning("The cache did not take a last good answer.", exc_info=True)


def read(name: str) -> Success | None:
    try:
        packed = cache.get(name)
    except _CACHE_ERRORS:
        logger.warning("The cache did not give a last good answer.", exc_info=True)
        return None
    if packed is None:
        return None
    # Only this module writes under this name, and Django pickles in its cache, too.
    kept: Success = pickle.loads(packed)  # noqa: S301
    return kept


def _asks_for_user(spec: OperationSpec) -> bool:
    texts = [spec.path, spec.body, *dict(spec.query).values()]
    texts += dict(spec.headers).values()
    return ":user" in spec.sql or any("{user}" in text for text in texts)
