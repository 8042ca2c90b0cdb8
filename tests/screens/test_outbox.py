"""Blocks that finish together are handed over together, and none waits for long."""

from __future__ import annotations

import asyncio
from typing import cast

from connectors.loop import Mailbox
from screens import runner
from screens.document import Block
from screens.runner import BlockResponse, Finished
from tests.screens.conftest import BOUND_S


def finished(name: str) -> Finished:
    # An outbox looks into nothing that it hands on.
    return Finished(cast("Block", name), cast("BlockResponse", None))


def received(mailbox: Mailbox[Finished]) -> list[Finished]:
    found = []
    try:
        while True:
            found.append(mailbox.get(0))
    except TimeoutError:
        return found


def test_the_last_block_is_handed_over_at_once_with_those_before_it() -> None:
    blocks = [finished(name) for name in "abc"]
    mailbox: Mailbox[Finished] = Mailbox()

    async def finish() -> list[Finished]:
        outbox = runner._Outbox(mailbox, expected=3)
        outbox.put(blocks[0])
        outbox.put(blocks[1])
        assert received(mailbox) == []
        outbox.put(blocks[2])
        return received(mailbox)

    assert asyncio.run(finish()) == blocks


def test_a_block_alone_is_handed_over_soon() -> None:
    mailbox: Mailbox[Finished] = Mailbox()
    only = finished("a")

    async def finish() -> list[Finished]:
        runner._Outbox(mailbox, expected=2).put(only)
        return [await asyncio.to_thread(mailbox.get, BOUND_S)]

    assert asyncio.run(finish()) == [only]
