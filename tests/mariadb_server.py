"""A private MariaDB for the tests, from Debian's package ``mariadb-server``.

It has a data folder, a socket and a process of its own, and goes with the test run; no
service of the system is used or left. An administrator's address given in
``SIGNALBOX_TEST_MARIADB_URL`` is used instead.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

INSTALL = "apt-get install -y --no-install-recommends mariadb-server"
_PROGRAMS = ("mariadbd", "mariadb-install-db")
_START_S = 60


def start_mariadb(home: Path) -> str:
    """Start MariaDB on a socket in `home`; return the address of its administrator.

    Raises:
        pytest.UsageError: the server cannot be had, or does not start.
    """
    server, installer = (Path(path) for path in _programs())
    home.mkdir()
    become: dict[str, Any] = {}
    if os.getuid() == 0:  # as which the server refuses to run
        nobody = pwd.getpwnam("nobody")
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        become = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    data, socket, log = home / "data", home / "socket", home / "log"
    size = "--innodb-log-file-size=8M"
    subprocess.run(
        [
            installer, "--no-defaults", f"--datadir={data}", size, "--skip-test-db",
            "--auth-root-authentication-method=normal",
        ],
        check=True, stdout=subprocess.DEVNULL, cwd=home, **become,
    )  # fmt: skip
    process = subprocess.Popen(
        [
            server, "--no-defaults", f"--datadir={data}", f"--socket={socket}", size,
            f"--pid-file={home / 'pid'}", f"--log-error={log}", "--skip-networking",
            "--innodb-flush-log-at-trx-commit=0", "--character-set-server=utf8mb4",
            "--innodb-buffer-pool-size=64M", "--performance-schema=OFF",
        ],
        cwd=home, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, **become,
    )  # fmt: skip
    atexit.register(_stop, process)
    until = time.monotonic() + _START_S
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > until:
            text = log.read_text(errors="replace")[-2_000:] if log.exists() else ""
            raise pytest.UsageError(f"MariaDB did not start.\n{text}")
        time.sleep(0.05)
    version = subprocess.run(
        [server, "--version"], check=True, capture_output=True, text=True
    )
    os.environ["SIGNALBOX_TEST_MARIADB_VERSION"] = version.stdout.split("  ")[
        -1
    ].strip()
    return f"mariadb://root@localhost/mysql?unix_socket={socket}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)  # the data go with it
    process.wait()


def _programs() -> list[str]:
    found = [_program(name) for name in _PROGRAMS]
    if None in found and _install():
        found = [_program(name) for name in _PROGRAMS]
    programs = [path for path in found if path is not None]
    if len(programs) < len(_PROGRAMS):
        raise pytest.UsageError(
            f"The tests of MariaDB need its server. Install it with: {INSTALL}"
        )
    return programs


def _program(name: str) -> str | None:
    path = os.environ.get("PATH", os.defpath)
    return shutil.which(name, path=f"{path}:/usr/sbin:/usr/local/sbin")


def _install() -> bool:
    """Install Debian's package where that is allowed; tell whether it was."""
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        return False
    # The package would start a service of the system, which nobody asked for.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        policy.chmod(0o755)
    try:
        for command in (["apt-get", "update"], INSTALL.split()):
            print("Running: " + " ".join(command), file=sys.stderr, flush=True)
            done = subprocess.run(
                command, stdout=sys.stderr, check=False, stdin=subprocess.DEVNULL,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )  # fmt: skip
            if done.returncode != 0:
                return False
    finally:
        if ours:
            policy.unlink()
    return True
