"""What may be stored, and the words of each refusal."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from connectors import rules
from connectors.models import DataSource, Operation, Parameter, RegisteredTable
from connectors.outcomes import Column, ColumnType
from connectors.specs import SourceKind
from observability.services import SERIES
from tenants.models import Tenant
from tenants.scope import WrongTenant, using_tenant
from tests.connectors.conftest import SECRET

pytestmark = pytest.mark.usefixtures("in_acme")


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


def source(**fields: Any) -> DataSource:
    fields = {"key": "s", "kind": "http", "address": "https://x.example"} | fields
    return DataSource(**fields)


def operation(kind: str = "http", **fields: Any) -> Operation:
    address = {"http": "https://x.example", "sql": "sqlite:////tmp/x.db", "portal": ""}
    made = source(kind=kind, address=address[kind])
    made.save()
    if kind == "sql":
        RegisteredTable.objects.create(source=made, name="t", shared=True)
    return Operation(**({"key": "op", "source": made} | fields))


def errors(row: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    return caught.value.message_dict


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"address": "http://127.0.0.1:8901/base"},
        {"kind": "portal", "address": ""},
        {"kind": "sql", "address": "postgresql://u@db.example/shop"},
        {"auth": "basic", "username": "jo"},
        {"auth": "api_key_header", "username": "X-Key"},
        {"headers": {"X-Team": "ops"}},
    ],
)
def test_a_sound_source_is_taken(fields: dict[str, Any]) -> None:
    made = source(**fields)

    made.full_clean()
    made.save()

    assert DataSource.objects.filter(pk=made.pk).exists()


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"address": "ftp://x"}, "address", "http://"),
        ({"address": "https://u:p@x"}, "address", "own fields"),
        ({"address": "https://x/?a=b"}, "address", "query"),
        ({"address": ""}, "address", "name a host"),
        ({"kind": "portal"}, "address", "no address"),
        ({"kind": "sql", "address": "nonsense"}, "address", "address"),
        ({"kind": "sql", "address": "oracle://x/y"}, "address", "PostgreSQL"),
        (
            {"kind": "sql", "address": "postgresql://u:pw@db.example/x"},
            "address",
            "password",
        ),
        ({"auth": "basic"}, "username", "needs a user"),
        ({"auth": "basic", "username": "a:b"}, "username", "colon"),
        ({"auth": "api_key_header", "username": "a b"}, "username", "letters"),
        ({"headers": {"Host": "x"}}, "headers", "portal itself"),
        ({"headers": {"a b": "x"}}, "headers", "hyphens"),
        ({"headers": {"X": "a\r\nb"}}, "headers", "printable"),
        ({"headers": {"X": "한"}}, "headers", "Latin-1"),
        ({"headers": {"X": 1}}, "headers", "not a text"),
        ({"headers": [1]}, "headers", "object of texts"),
        ({"label": ["x"]}, "label", "by language"),
        ({"read_timeout_ms": 0}, "read_timeout_ms", "1"),
    ],
)
def test_an_unsound_source_is_refused_where_it_is_wrong(
    fields: dict[str, Any], field: str, words: str
) -> None:
    assert words in " ".join(errors(source(**fields))[field])


def test_the_portals_own_database_is_no_source() -> None:
    own = connection.settings_dict
    if connection.vendor == "sqlite":
        address = f"sqlite:///{own['NAME']}"
    else:
        host = f"?host={own['HOST']}&port={own['PORT']}"
        address = f"postgresql://{own['USER']}@/{own['NAME']}{host}"

    found = errors(source(kind="sql", address=address))

    assert "address" in found


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("http", {"path": "/sites/{site}", "rows_path": "data[*].x"}),
        ("http", {"method": "POST", "body_kind": "json", "body": '{"a": "{b}"}'}),
        ("http", {"method": "POST", "body_kind": "form", "body": '{"a": "{b}"}'}),
        ("sql", {"sql": "SELECT a FROM t WHERE a = :a"}),
        ("portal", {"series": min(SERIES)}),
        ("http", {"columns": [{"name": "a", "type": "decimal", "unit": "°C"}]}),
    ],
)
def test_a_sound_operation_is_taken(kind: str, fields: dict[str, Any]) -> None:
    operation(kind, **fields).full_clean()


@pytest.mark.parametrize(
    ("kind", "fields", "field", "words"),
    [
        ("http", {"path": "/a?b=c"}, "path", "field of their own"),
        ("http", {"path": "/a\\b"}, "path", "backslash"),
        ("http", {"path": "/a/../b"}, "path", ".."),
        ("http", {"query": {"a": 1}}, "query", "not a text"),
        ("http", {"query": ["a"]}, "query", "object of texts"),
        ("http", {"headers": {"Content-Length": "1"}}, "headers", "portal itself"),
        ("http", {"body_kind": "json", "body": "{}"}, "body", "GET"),
        (
            "http",
            {"method": "POST", "body_kind": "json", "body": "{\n x}"},
            "body",
            "line 2",
        ),
        (
            "http",
            {"method": "POST", "body_kind": "form", "body": "[1]"},
            "body",
            "object of texts",
        ),
        ("http", {"rows_path": "a["}, "rows_path", "JMESPath"),
        ("sql", {"sql": "DELETE FROM t"}, "sql", "refused"),
        ("sql", {"sql": ""}, "sql", "empty"),
        ("portal", {"series": "nothing"}, "series", "nothing"),
        ("http", {"columns": [{"type": "text"}]}, "columns", "Column 1"),
        ("http", {"columns": [{"name": "a", "type": "x"}]}, "columns", "Column 1"),
        ("http", {"columns": [{"name": "a", "odd": 1}]}, "columns", "Column 1"),
        ("http", {"columns": [{"name": "a"}, {"name": "a"}]}, "columns", "same name"),
        ("http", {"columns": {"a": 1}}, "columns", "list of columns"),
        ("http", {"timeout_ms": 0}, "timeout_ms", "1"),
        ("http", {"row_limit": 0}, "row_limit", "1"),
    ],
)
def test_an_unsound_operation_is_refused_where_it_is_wrong(
    kind: str, fields: dict[str, Any], field: str, words: str
) -> None:
    assert words in " ".join(errors(operation(kind, **fields))[field])


def test_an_operation_without_a_source_is_told_so() -> None:
    assert "source" in errors(Operation(key="x"))


def test_a_key_is_taken_once_per_tenant(globex: Tenant) -> None:
    operation().save()
    with using_tenant(globex):
        operation().save()

    found = errors(Operation(key="op", source=DataSource.objects.get()))

    assert "taken" in " ".join(found["__all__"])
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.create(key="op", source=DataSource.objects.get())


def test_an_operation_never_calls_another_tenants_source(globex: Tenant) -> None:
    with using_tenant(globex):
        theirs = source()
        theirs.save()

    with pytest.raises(WrongTenant):
        Operation(key="x", source=theirs).save()


def test_undeclared_names_are_found() -> None:
    http = operation(
        path="/{a}/{tenant}",
        query={"q": "{b}"},
        headers={"X": "{c}"},
        method="POST",
        body_kind="json",
        body='{"x": "{d}"}',
    )
    http.source.key = "other"

    assert rules.undeclared_names(http, ["a"]) == ["b", "c", "d"]


def test_undeclared_names_of_sql_and_series_are_found() -> None:
    query = operation("sql", sql="SELECT a FROM t WHERE a = :a AND b = :tenant")
    broken = Operation(key="b", source=query.source, sql="DROP TABLE t")
    query.source.kind = "sql"

    assert rules.undeclared_names(query, []) == ["a"]
    assert rules.undeclared_names(broken, []) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "tenant"}, "name"),
        ({"name": "Bad-Name"}, "name"),
        ({"type": "choice"}, "choices"),
        ({"type": "choice", "choices": [1]}, "choices"),
        ({"type": "integer", "minimum": "x"}, "minimum"),
        ({"type": "decimal", "maximum": "NaN"}, "maximum"),
        ({"type": "date", "maximum": "tomorrow"}, "maximum"),
        ({"type": "integer", "default": "x"}, "default"),
        ({"type": "integer", "minimum": "5", "default": "4"}, "default"),
    ],
)
def test_an_unsound_parameter_is_refused(fields: dict[str, Any], field: str) -> None:
    made = operation()
    made.save()

    found = errors(Parameter(**({"operation": made, "name": "a"} | fields)))

    assert field in found


def test_bounds_and_defaults_have_the_parameters_type() -> None:
    made = operation()
    made.save()

    def spec(**fields: Any) -> Any:
        return Parameter(operation=made, name="a", **fields).spec()

    assert spec(type="integer", minimum="1", default="2").default == 2
    assert str(spec(type="decimal", maximum="1.5").maximum) == "1.5"
    assert spec(type="date", minimum="2026-01-02").minimum.year == 2026
    assert spec(type="datetime", minimum="2026-01-02T00:00Z").minimum.tzinfo
    assert spec(type="datetime", minimum="2026-01-02").minimum.day == 2
    assert spec(type="integer", default="x").default is None


def test_a_spec_holds_everything_and_shows_no_secret() -> None:
    made = operation(columns=[{"name": "a", "type": "integer"}])
    made.source.auth = "bearer"
    made.source.set_secret(SECRET)
    made.source.save()
    made.save()

    spec = made.spec()

    assert spec.kind is SourceKind.HTTP
    assert made.kind is SourceKind.HTTP
    assert spec.source.secret == SECRET
    assert spec.columns == (Column("a", ColumnType.INTEGER),)
    assert SECRET not in repr(spec)
    assert SECRET not in repr(spec.source)
    assert str(made.source) == "s"
    assert str(made) == "op"


def test_a_version_changes_with_operation_source_and_parameters() -> None:
    made = operation()
    made.save()
    versions = [made.spec().version]

    Parameter.objects.create(operation=made, name="a")
    versions.append(made.spec().version)
    made.source.save()
    versions.append(made.spec().version)

    assert len(set(versions)) == 3
    assert made.spec().version == versions[-1]


def test_a_sql_secret_becomes_part_of_the_address_alone() -> None:
    made = source(kind="sql", address="postgresql://u@db.example/x")
    made.set_secret("p@ss:word/with")
    made.save()

    spec = made.spec()

    assert spec.base_url == "postgresql://u:p%40ss%3Aword%2Fwith@db.example/x"
    assert spec.secret == ""
    assert spec.dialect == "postgresql"
    assert rules.database_url("nonsense", "x") == "nonsense"
    assert rules.dialect_of(source(kind="sql", address="nonsense")) == ""


def test_removing_a_secret_leaves_nothing() -> None:
    made = source()
    made.set_secret(SECRET)
    made.set_secret("")

    assert (made.secret, made.secret_hint, made.secret_set_at) == ("", "", None)
