"""An upstream that answers after a tenth of a second, in a process of its own."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

DELAY_S = 0.1


async def answer(request: web.Request) -> web.Response:
    """Wait, then say one short text."""
    await asyncio.sleep(DELAY_S)
    return web.Response(text="ready")


if __name__ == "__main__":
    application = web.Application()
    application.add_routes([web.get("/", answer)])
    web.run_app(
        application, host="127.0.0.1", port=int(sys.argv[1]), print=None,
        access_log=None, backlog=1_024,
    )  # fmt: skip
