"""Secrets: sealed, rotated, referenced, never readable."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from connectors import secrets
from connectors.models import DataSource
from connectors.secrets import SecretFault, resolve, seal, unseal
from observability.models import AlertChannel
from tenants.models import Tenant
from tenants.sealing import Unopened, reseal
from tests.connectors.conftest import SECRET

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_a_sealed_secret_is_unreadable_and_opens_again() -> None:
    sealed = seal(SECRET)

    assert SECRET not in sealed
    assert unseal(sealed) == SECRET
    assert unseal(seal("")) == ""


def test_the_first_key_seals_and_all_open(settings: Any) -> None:
    settings.SIGNALBOX_ENCRYPTION_KEYS = [OLD]
    sealed = seal(SECRET)

    settings.SIGNALBOX_ENCRYPTION_KEYS = [NEW, OLD]
    again = reseal(sealed)
    settings.SIGNALBOX_ENCRYPTION_KEYS = [NEW]

    assert unseal(again) == SECRET
    assert reseal("") == ""
    with pytest.raises(SecretFault) as caught:
        unseal(sealed)
    assert caught.value.rule == "secret-unopened"
    with pytest.raises(Unopened):
        reseal(sealed)


def test_a_key_that_is_none_is_told_as_a_setting(settings: Any) -> None:
    settings.SIGNALBOX_ENCRYPTION_KEYS = ["short"]

    with pytest.raises(ImproperlyConfigured, match="SIGNALBOX_ENCRYPTION_KEYS"):
        seal("x")


def test_a_variable_of_the_tenant_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_SOURCE__ACME__WEATHER", SECRET)

    assert resolve("env:SIGNALBOX_SOURCE__ACME__WEATHER", tenant_key="acme") == SECRET
    assert resolve("plain", tenant_key="acme") == "plain"


@pytest.mark.parametrize(
    "name",
    ["SIGNALBOX_SECRET_KEY", "PATH", "SIGNALBOX_SOURCE__GLOBEX__X",
     "SIGNALBOX_SOURCE__ACME__B__X", "SIGNALBOX_SOURCE__ACME__", ""],
)  # fmt: skip
def test_no_other_variable_can_be_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name:
        monkeypatch.setenv(name, SECRET)

    with pytest.raises(SecretFault) as caught:
        resolve(f"env:{name}", tenant_key="acme")

    assert caught.value.rule == "secret-reference"


def test_a_variable_that_is_not_set_is_told() -> None:
    with pytest.raises(SecretFault) as caught:
        resolve("env:SIGNALBOX_SOURCE__ACME__NOTHING", tenant_key="acme")

    assert caught.value.rule == "secret-missing"


def test_files_are_read_in_the_tenants_folder_only(
    tmp_path: Path, settings: Any
) -> None:
    settings.SIGNALBOX_SECRET_DIRECTORY = str(tmp_path)
    folder = secrets.secret_directory("acme")
    folder.mkdir()
    (folder / "weather").write_text(f"{SECRET}\n")
    (folder / "empty").write_text("\n")
    (tmp_path / "other").write_text("no")
    (folder / "link").symlink_to(tmp_path / "other")

    def fault(name: str) -> str:
        with pytest.raises(SecretFault) as caught:
            resolve(f"file:{name}", tenant_key="acme")
        return caught.value.rule

    assert resolve(f"file:{folder}/weather", tenant_key="acme") == SECRET
    assert fault(f"{folder}/../other") == "secret-reference"
    assert fault(f"{folder}/link") == "secret-reference"
    assert fault("/etc/passwd") == "secret-reference"
    assert fault(f"{folder}/nothing") == "secret-missing"
    assert fault(f"{folder}/empty") == "secret-missing"
    assert fault(f"{folder}/a\x00b") == "secret-missing"


def test_a_hint_shows_at_most_two_letters() -> None:
    assert secrets.hint(SECRET) == "…Zq"
    assert secrets.hint("short") == "…"
    assert secrets.hint("env:SIGNALBOX_SOURCE__ACME__X").startswith("env:")


def test_rotate_secrets_seals_all_again(in_acme: Tenant, settings: Any) -> None:
    settings.SIGNALBOX_ENCRYPTION_KEYS = [OLD]
    source = DataSource(key="up", kind="http", address="https://x.example")
    source.set_secret(SECRET)
    source.save()
    channel = AlertChannel(key="hook", kind="webhook", url="https://x.example")
    channel.put_secret(SECRET)
    channel.save()
    settings.SIGNALBOX_ENCRYPTION_KEYS = [NEW, OLD]
    told = StringIO()

    call_command("rotate_secrets", stdout=told, skip_checks=True)

    settings.SIGNALBOX_ENCRYPTION_KEYS = [NEW]
    source.refresh_from_db()
    assert unseal(source.secret) == SECRET
    channel.refresh_from_db()
    assert channel.plain_secret() == SECRET
    assert "Sealed 2 secrets again." in told.getvalue()


def test_rotate_secrets_names_what_no_key_opens(in_acme: Tenant, settings: Any) -> None:
    settings.SIGNALBOX_ENCRYPTION_KEYS = [OLD]
    source = DataSource(key="up", kind="http", address="https://x.example")
    source.set_secret(SECRET)
    source.save()
    settings.SIGNALBOX_ENCRYPTION_KEYS = [NEW]

    with pytest.raises(CommandError, match=r"No key opens .*/up"):
        call_command("rotate_secrets", stdout=StringIO(), skip_checks=True)
