"""Write the demo into the portal. Running it again changes nothing.

Rows are found by their keys and made when they are missing; passwords are made once.
What staff changed since is left alone, but for the addresses of the demo's own API and
database, which follow the machine.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import models, transaction

from branching.models import Condition, DecisionTable, Fact, Rule
from connectors.models import DataSource, Operation, Parameter, RegisteredTable
from demo.database import write_database
from demo.models import Subscription
from menus.models import Menu
from menus.services import create_menu
from screens.models import Screen, ScreenVersion
from screens.services import publish, save_version
from tenants.models import Membership, Team, Tenant, User
from tenants.permissions import grant
from tenants.scope import Actor, using_tenant

CONTENT = Path(__file__).resolve().parent / "content"
SCREENS = Path(__file__).resolve().parent / "screens"
DEFAULT_API = "http://127.0.0.1:8901"


class DemoIsBroken(RuntimeError):
    """The demo's own content was refused: a bug of ours."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login that was just made; the password is nowhere else."""

    username: str
    password: str
    purpose: str


def load_demo(
    *, api_address: str = DEFAULT_API, reset_passwords: bool = False
) -> tuple[Login, ...]:
    """Bring the demo up to date; return the logins whose passwords are new."""
    people = _content("people")
    write_database_once(demo_database())
    with transaction.atomic():
        tenants = [_tenant(entry) for entry in people["tenants"]]
        logins = _users(people, reset_passwords=reset_passwords)
        administrator = User.objects.get(username=people["users"][0]["username"])
        for tenant, entry in zip(tenants, people["tenants"], strict=True):
            actor = Actor(user_id=administrator.pk, tenant_id=tenant.pk)
            with using_tenant(tenant):
                _load_tenant(entry, actor, api_address)
    return logins


def demo_database() -> Path:
    """Return the path of the demo's own SQLite database."""
    return Path(settings.DATA_DIR) / "demo.sqlite3"


def write_database_once(path: Path) -> None:
    if not path.exists():
        write_database(path)


def _content(name: str) -> Any:
    with (CONTENT / f"{name}.yaml").open(encoding="utf-8") as file:
        return yaml.safe_load(file)


def _tenant(entry: Mapping[str, Any]) -> Tenant:
    tenant, _made = Tenant.objects.update_or_create(
        key=entry["key"], defaults={"name": entry["name"], "is_active": True}
    )
    team, _made = Team.objects.get_or_create(tenant=tenant, label=entry["team"])
    team.permissions.set(_staff_permissions())
    return tenant


def _staff_permissions() -> list[Permission]:
    """Return what the team's staff may do in the admin; the rest may sign in only."""
    wanted = models.Q()
    for label in _content("people")["staff_models"]:
        app, model = label.split(".")
        wanted |= models.Q(content_type__app_label=app, content_type__model=model)
    return list(
        Permission.objects.filter(wanted).exclude(
            codename__in=["hide_menu", "use_operation"]
        )
    )


def _users(people: Mapping[str, Any], *, reset_passwords: bool) -> tuple[Login, ...]:
    tenants = {tenant.key: tenant for tenant in Tenant.objects.all()}
    teams = {entry["key"]: entry["team"] for entry in people["tenants"]}
    logins = []
    for entry in people["users"]:
        user, made = User.objects.get_or_create(
            username=entry["username"],
            defaults={
                "is_superuser": entry.get("superuser", False),
                "is_staff": entry.get("staff", False),
                "language": entry["language"],
            },
        )
        if made or reset_passwords:
            password = secrets.token_urlsafe(12)
            user.set_password(password)
            user.save()
            logins.append(Login(user.username, password, entry["purpose"]))
        for key in entry["tenants"]:
            Membership.objects.get_or_create(user=user, tenant=tenants[key])
            if not user.is_superuser:
                team = Team.objects.get(tenant=tenants[key], label=teams[key])
                user.groups.add(team)
    return tuple(logins)


def _load_tenant(entry: Mapping[str, Any], actor: Actor, api_address: str) -> None:
    Subscription.objects.get_or_create(
        defaults={"plan": entry["plan"], "seats": entry["seats"]}
    )
    team = Team.objects.get(tenant_id=actor.tenant_id, label=entry["team"])
    sources = _sources(api_address)
    for operation in _content("operations"):
        if made := _operation(operation, sources[operation["source"]]):
            grant("use_operation", made, to=team, actor=actor)
    decisions = _content("decisions")
    for fact in decisions["facts"]:
        _make_once(Fact, fact)
    for table in decisions["tables"]:
        _decision_table(table)
    for key in entry["screens"]:
        _screen(key, actor)
    menus = _menus(entry)
    for slug in entry["opens"]:
        grant("view_menu", menus[slug], to=team, actor=actor)


def _make(row: Any, fields: Mapping[str, Any]) -> Any:
    """Fill, check and save a row.

    Raises:
        DemoIsBroken: the portal refuses it.
    """
    for name, value in fields.items():
        setattr(row, name, value)
    try:
        row.full_clean()
    except ValidationError as error:
        raise DemoIsBroken(f"{type(row).__name__} {row}: {error}") from error
    row.save()
    return row


def _make_once(model: type[models.Model], fields: Mapping[str, Any]) -> Any:
    """Return the row with this key, made when it is missing."""
    row = model._default_manager.filter(key=fields["key"]).first()
    return row or _make(model(), fields)


def _sources(api_address: str) -> dict[str, DataSource]:
    addresses = {
        "demo-api": api_address,
        "demo-sql": f"sqlite:///{demo_database()}",
        "portal": "",
    }
    found = {}
    for entry in _content("sources"):
        address = addresses[entry["key"]]
        fields = {name: entry[name] for name in entry if name != "shared_tables"}
        source = _make_once(DataSource, {**fields, "address": address})
        if source.address != address:
            source = _make(source, {"address": address})
        for name in entry.get("shared_tables", []):
            if not source.tables.filter(name=name).exists():
                _make(RegisteredTable(source=source), {"name": name, "shared": True})
        found[source.key] = source
    return found


def _operation(entry: Mapping[str, Any], source: DataSource) -> Operation | None:
    """Return the operation when it was missing and has been made."""
    if Operation.objects.filter(key=entry["key"]).exists():
        return None
    # The placeholders of a template must be declared: parameters first, checks after.
    operation = Operation.objects.create(key=entry["key"], source=source)
    for order, parameter in enumerate(entry.get("parameters", [])):
        _make(Parameter(operation=operation, order=order), parameter)
    beside = {"key", "source", "parameters"}
    _make(operation, {name: entry[name] for name in entry if name not in beside})
    return operation


def _decision_table(entry: Mapping[str, Any]) -> None:
    if DecisionTable.objects.filter(key=entry["key"]).exists():
        return
    table = _make(
        DecisionTable(), {name: entry[name] for name in entry if name != "rules"}
    )
    for order, rule in enumerate(entry.get("rules", []), start=1):
        row = _make(
            Rule(table=table, order=order),
            {name: rule[name] for name in rule if name != "condition"},
        )
        _make(Condition(rule=row), rule["condition"])


def _screen(key: str, actor: Actor) -> None:
    with (SCREENS / f"{key}.json").open(encoding="utf-8") as file:
        body = json.load(file)
    screen, _made = Screen.objects.get_or_create(key=key)
    if screen.published is not None:
        return  # staff may have published their own version since
    version = save_version(
        screen, body, actor=actor, base_version=0, note="Demo of Signalbox"
    )
    if not isinstance(version, ScreenVersion):
        raise DemoIsBroken(f"Screen {key} was not saved: {version}")
    published = publish(version, actor=actor)
    if not isinstance(published, ScreenVersion):
        raise DemoIsBroken(f"Screen {key} was not published: {published}")


def _menus(entry: Mapping[str, Any]) -> dict[str, Menu]:
    found = {menu.slug: menu for menu in Menu.objects.all()}
    for node in _wanted_menus(entry):
        if node["slug"] not in found:
            screen = Screen.objects.filter(key=node.get("screen", "")).first()
            found[node["slug"]] = create_menu(
                node["slug"],
                label=node["label"],
                actor=None,  # the portal's own doing: nobody's first menu
                parent=found.get(node.get("parent", "")),
                kind="screen" if screen else "group",
                screen=screen,
                icon=node["icon"],
            )
    return found


def _wanted_menus(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for node in _content("menus"):
        if node.get("screen") is None or node["screen"] in entry["screens"]:
            yield node
