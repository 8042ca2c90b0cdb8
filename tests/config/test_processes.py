"""config/processes.py: ports, starting and stopping together."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import pytest

from config.processes import (
    Forked,
    PortalDidNotStart,
    Processes,
    Program,
    free_port,
)

WAIT = "import time; time.sleep(60)"
SERVER = (
    "import http.server, sys;"
    "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])),"
    " http.server.SimpleHTTPRequestHandler).serve_forever()"
)


def test_a_taken_port_moves_to_the_next() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert free_port(port, last=port + 20) > port


def test_no_free_port_says_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PortalDidNotStart, match=f"{port} to {port} is taken"):
            free_port(port, last=port)


def test_leaving_the_block_ends_every_process() -> None:
    with Processes() as processes:
        for name in ("a", "b"):
            processes.start(Program(name, (sys.executable, "-c", WAIT)))
        assert processes.ended() is None

    assert len(processes.by_name) == 2
    assert all(each.poll() is not None for each in processes.by_name.values())


def test_a_function_runs_in_a_copy_and_ends_with_the_block() -> None:
    with Processes() as processes:
        processes.start(Program("copy", run=partial(time.sleep, 60)))
        assert processes.ended() is None

    assert processes.by_name["copy"].poll() == -signal.SIGTERM


def test_a_copy_can_be_ended_at_once_whatever_its_parent_listens_to() -> None:
    """The parent's handler lives on in a copy until it has let go of it."""
    asked: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    try:
        for _attempt in range(50):
            copy = Forked(partial(time.sleep, 60))
            copy.terminate()

            assert copy.wait(timeout=20) == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)

    assert asked == []


@pytest.mark.parametrize(
    ("run", "status"),
    [
        pytest.param(partial(sys.exit, 3), 3, id="an exit status"),
        pytest.param(partial(sys.exit, "why"), 1, id="an exit with words"),
        pytest.param(partial(int, "x"), 1, id="a bug"),
        pytest.param(partial(int, "1"), 0, id="an end"),
    ],
)
def test_a_copy_tells_how_it_ended(run: Callable[[], None], status: int) -> None:
    copy = Forked(run)

    assert copy.wait(timeout=20) == status


def test_a_copy_is_not_waited_for_without_end() -> None:
    copy = Forked(partial(time.sleep, 60))

    with pytest.raises(subprocess.TimeoutExpired):
        copy.wait(timeout=0.05)
    copy.terminate()
    assert copy.wait(timeout=20) == -signal.SIGTERM


def test_a_process_that_does_not_listen_is_ended_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("config.processes.STOP_SECONDS", 0.2)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"

    started = time.monotonic()
    with Processes() as processes:
        processes.start(Program("deaf", (sys.executable, "-c", deaf)))

    assert processes.by_name["deaf"].poll() is not None
    assert time.monotonic() - started < 30


def test_an_answering_process_is_waited_for() -> None:
    port = free_port(18_000, last=18_500)

    with Processes() as processes:
        processes.start(Program("web", (sys.executable, "-c", SERVER, str(port))))
        processes.wait_until_answering(f"http://127.0.0.1:{port}/", seconds=20)

        assert processes.ended() is None


def test_a_process_that_ends_while_starting_is_named() -> None:
    with Processes() as processes:
        processes.start(Program("worker", (sys.executable, "-c", "pass")))
        processes.by_name["worker"].wait(timeout=20)

        with pytest.raises(PortalDidNotStart, match="worker ended"):
            processes.wait_until_answering("http://127.0.0.1:9/", seconds=5)


def test_silence_is_not_waited_for_without_end() -> None:
    with Processes() as processes:
        processes.start(Program("web", (sys.executable, "-c", WAIT)))

        with pytest.raises(PortalDidNotStart, match="did not answer"):
            processes.wait_until_answering("http://127.0.0.1:9/", seconds=0.3)
