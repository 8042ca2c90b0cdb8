"""``make run``: what it prints, starts, refuses and stops."""

import socket
import urllib.request
from pathlib import Path

from tests.portal.conftest import Portal, start_portal, stop_portal


def test_the_first_address_printed_is_the_portals(portal: Portal) -> None:
    with urllib.request.urlopen(f"{portal.address}/healthz", timeout=10) as response:
        assert response.status == 200


def test_three_logins_are_printed_with_their_purpose(portal: Portal) -> None:
    assert set(portal.passwords) == {"admin", "operator", "viewer"}
    assert len(set(portal.passwords.values())) == 3


def test_a_second_start_is_quick_keeps_the_logins_and_moves_from_a_taken_port(
    tmp_path: Path,
) -> None:
    first = start_portal(tmp_path / "data", port=18_700)
    port = int(first.address.rsplit(":", 1)[1])
    assert stop_portal(first) == 0
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()

        second = start_portal(tmp_path / "data", port=port)
        status = stop_portal(second)

    assert status == 0
    assert any(f"port {port} is taken" in line for line in second.lines)
    assert second.passwords == {}
    assert any("--reset-passwords" in line for line in second.lines)


def test_ctrl_c_stops_every_process(tmp_path: Path) -> None:
    running = start_portal(tmp_path / "data", port=18_800)
    port = int(running.address.rsplit(":", 1)[1])

    assert stop_portal(running) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
