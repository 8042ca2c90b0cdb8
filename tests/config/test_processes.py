"""config/processes.py: ports, starting and stopping together."""

import socket
import sys
import time

import pytest

from config.processes import (
    PortalDidNotStart,
    Program,
    ended,
    free_port,
    running,
    wait_until_answering,
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
    programs = [Program(name, (sys.executable, "-c", WAIT)) for name in ("a", "b")]

    with running(programs) as processes:
        assert ended(processes) is None

    assert all(process.poll() is not None for process in processes.values())


def test_a_process_that_does_not_listen_is_ended_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("config.processes.STOP_SECONDS", 0.2)
    deaf = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); time.sleep(60)"
    )

    started = time.monotonic()
    with running([Program("deaf", (sys.executable, "-c", deaf))]) as processes:
        pass

    assert processes["deaf"].poll() is not None
    assert time.monotonic() - started < 30


def test_an_answering_process_is_waited_for() -> None:
    port = free_port(18_000, last=18_500)
    server = Program("web", (sys.executable, "-c", SERVER, str(port)))

    with running([server]) as processes:
        wait_until_answering(f"http://127.0.0.1:{port}/", processes, seconds=20)

        assert ended(processes) is None


def test_a_process_that_ends_while_starting_is_named() -> None:
    with running([Program("worker", (sys.executable, "-c", "pass"))]) as processes:
        processes["worker"].wait(timeout=20)

        with pytest.raises(PortalDidNotStart, match="worker ended"):
            wait_until_answering("http://127.0.0.1:9/", processes, seconds=5)


def test_silence_is_not_waited_for_without_end() -> None:
    with (
        running([Program("web", (sys.executable, "-c", WAIT))]) as processes,
        pytest.raises(PortalDidNotStart, match="did not answer"),
    ):
        wait_until_answering("http://127.0.0.1:9/", processes, seconds=0.3)
