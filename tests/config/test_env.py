"""config/env.py: a wrong setting stops the start and says what was found."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import (
    cache_from_url,
    database_from_url,
    email_from_url,
    env_bool,
    env_choice,
    env_int,
    env_list,
    env_reference,
    local_keys,
    required,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("FALSE", False), ("True", True)]
)
def test_a_boolean_is_true_or_false_in_any_case(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: bool
) -> None:
    monkeypatch.setenv("SIGNALBOX_X", text)

    assert env_bool("SIGNALBOX_X", default=not expected) is expected


def test_a_boolean_refuses_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_X", "yes")

    with pytest.raises(ImproperlyConfigured, match="SIGNALBOX_X='yes'"):
        env_bool("SIGNALBOX_X", default=True)


def test_a_number_is_whole_and_not_below_its_minimum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert env_int("SIGNALBOX_X", default=7) == 7

    monkeypatch.setenv("SIGNALBOX_X", "many")
    with pytest.raises(ImproperlyConfigured, match="whole number"):
        env_int("SIGNALBOX_X", default=7)

    monkeypatch.setenv("SIGNALBOX_X", "0")
    with pytest.raises(ImproperlyConfigured, match="at least 1"):
        env_int("SIGNALBOX_X", default=7, minimum=1)


def test_a_list_is_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env_list("SIGNALBOX_X", default=["a"]) == ["a"]

    monkeypatch.setenv("SIGNALBOX_X", " b , ,c ")
    assert env_list("SIGNALBOX_X", default=["a"]) == ["b", "c"]


def test_a_choice_names_what_would_have_been_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIGNALBOX_X", "prod")

    with pytest.raises(ImproperlyConfigured, match="one of local, production"):
        env_choice("SIGNALBOX_X", choices=("local", "production"), default="local")


def test_a_required_setting_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGNALBOX_X", raising=False)
    with pytest.raises(ImproperlyConfigured, match="SIGNALBOX_X is not set"):
        required("SIGNALBOX_X")

    monkeypatch.setenv("SIGNALBOX_X", "here")
    assert required("SIGNALBOX_X") == "here"


def test_an_address_names_a_postgresql_database() -> None:
    entry = database_from_url(
        "postgresql://jo:p%40ss@db.example:6432/portal?sslmode=require"
    )

    assert entry["HOST"] == "db.example"
    assert entry["PORT"] == "6432"
    assert entry["PASSWORD"] == "p@ss"
    assert entry["OPTIONS"] == {"sslmode": "require"}


def test_an_address_names_a_socket_directory() -> None:
    entry = database_from_url("postgresql://jo@/portal?host=/run/postgresql")

    assert entry["HOST"] == "/run/postgresql"
    assert entry["OPTIONS"] == {}


def test_an_address_names_a_sqlite_file() -> None:
    assert database_from_url("sqlite:////srv/portal.sqlite3")["NAME"] == (
        "/srv/portal.sqlite3"
    )


def test_an_unknown_database_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="oracle"):
        database_from_url("oracle://db/portal")


def test_an_address_names_a_cache() -> None:
    assert "locmem" in str(cache_from_url("locmem://")["BACKEND"])
    assert cache_from_url("redis://cache:6379/0")["LOCATION"] == "redis://cache:6379/0"
    with pytest.raises(ImproperlyConfigured, match="memcached"):
        cache_from_url("memcached://cache")


def test_local_keys_are_made_once_and_only_the_owner_reads_them(
    tmp_path: Path,
) -> None:
    path = tmp_path / "new" / "keys.json"

    first = local_keys(path)

    assert local_keys(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["secret_key"] == first["secret_key"]
    assert local_keys(tmp_path / "other.json") != first


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        pytest.param({}, "SIGNALBOX_SECRET_KEY", id="no secret key"),
        pytest.param(
            {"SIGNALBOX_SECRET_KEY": "x" * 50},
            "SIGNALBOX_ENCRYPTION_KEYS",
            id="no encryption key",
        ),
    ],
)
def test_production_does_not_start_without_its_keys(
    tmp_path: Path, environment: dict[str, str], missing: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        cwd=ROOT,
        env={
            "SIGNALBOX_MODE": "production",
            "SIGNALBOX_DATA_DIR": str(tmp_path),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert f"{missing} is not set" in done.stderr


def test_a_reference_names_a_variable_and_a_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert env_reference("SIGNALBOX_X") == ""
    monkeypatch.setenv("SIGNALBOX_X", "env:MODEL_KEY")
    assert env_reference("SIGNALBOX_X") == "env:MODEL_KEY"
    monkeypatch.setenv("SIGNALBOX_X", "sk-very-secret")

    with pytest.raises(ImproperlyConfigured) as refused:
        env_reference("SIGNALBOX_X")

    assert "sk-very-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "backend", "host", "port", "starttls", "tls"),
    [
        ("", "smtp", "", 25, False, False),
        ("smtp://mail.example", "smtp", "mail.example", 587, True, False),
        ("smtp://mail.example:25?tls=off", "smtp", "mail.example", 25, False, False),
        ("smtps://u:p%40ss@mail.example", "smtp", "mail.example", 465, False, True),
        ("console://", "console", "", 25, False, False),
        ("file:///var/mail", "filebased", "", 25, False, False),
    ],
)
def test_an_address_of_a_mail_server(
    url: str, backend: str, host: str, port: int, starttls: bool, tls: bool
) -> None:
    made = email_from_url(url)

    assert made.backend.split(".")[-2] == backend
    assert (made.host, made.port) == (host, port)
    assert (made.starttls, made.tls) == (starttls, tls)
    assert made.password == ("p@ss" if "p%40ss" in url else "")
    assert "p@ss" not in repr(made)


@pytest.mark.parametrize(
    "url", ["mail.example", "http://mail.example", "smtp://", "smtp://a?tls=maybe"]
)
def test_an_address_of_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SIGNALBOX_EMAIL_URL"):
        email_from_url(url)
