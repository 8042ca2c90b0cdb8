"""How a call fails inside this app, before it becomes a `Failure` with words.

`connectors.services` turns a `CallFailed` into a `Failure`; nothing else leaves.
"""

from __future__ import annotations

from connectors.outcomes import Reason


class CallFailed(Exception):
    """An expected failure on its way to the caller.

    Not an ``OSError``, so that aiohttp neither swallows it nor tries the next address.

    Attributes:
        reason: What decision tables branch on.
        rule: Rule id whose words are in ``connectors.messages``.
        status: Status of HTTP, when upstream answered.
        values: Values of the words; never a secret, never an inner address.
    """

    def __init__(
        self, reason: Reason, rule: str, *, status: int | None = None, **values: object
    ) -> None:
        super().__init__(rule)
        self.reason = reason
        self.rule = rule
        self.status = status
        self.values = values
