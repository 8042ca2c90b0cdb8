"""What a stored data source or operation must keep, and how it is read.

Models call these from ``clean``; each refusal names its field, so that a form shows it
where it belongs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import sqlalchemy
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from jmespath.exceptions import JMESPathError
from sqlalchemy.exc import ArgumentError as UrlError

from connectors import http_request, messages
from connectors.addresses import AddressError, parse_address
from connectors.bodies import compiled_path
from connectors.outcomes import Column, ColumnType, Personal
from connectors.query_safety import RESERVED, Allowed, Refused, judge
from connectors.specs import AuthKind, BodyKind, SourceKind, SourceSpec
from connectors.sql_engines import is_portal_database, read_url
from connectors.sql_messages import refusal_words, series_words, source_words
from connectors.sql_wall import SourceRefusedError
from connectors.stored import StoredOperation, StoredSource, StoredTable
from connectors.tenant_scope import scope_query
from observability.services import SERIES

_COLUMN_FIELDS = frozenset({"name", "type", "label", "unit", "format", "personal"})
_MOST_COLUMNS = 200
_KINDS = frozenset(filter(None, Personal))


# --- Data sources -------------------------------------------------------------------


def check_source(source: StoredSource) -> None:
    """Refuse a data source that cannot be called.

    Raises:
        ValidationError: by field.
    """
    errors: dict[str, str] = {}
    match source.kind:
        case SourceKind.HTTP:
            errors |= _http_address_errors(source.address)
        case SourceKind.SQL:
            errors |= _sql_address_errors(source)
        case SourceKind.PORTAL if source.address:
            errors["address"] = _("The portal's own numbers need no address.")
    if error := headers_error(source.headers):
        errors["headers"] = error
    if source.auth != AuthKind.NONE and source.kind == SourceKind.HTTP:
        errors |= _authentication_errors(source)
    if errors:
        raise ValidationError(errors)


def _http_address_errors(text: str) -> dict[str, str]:
    try:
        address = parse_address(text)
    except AddressError as error:
        return {"address": messages.address_text(error.rule)}
    if address.query:
        return {"address": messages.address_text("address-query")}
    return {}


def _sql_address_errors(source: StoredSource) -> dict[str, str]:
    spec = SourceSpec(
        key=source.key,
        kind=SourceKind.SQL,
        tenant_id=0,
        tenant_key="",
        base_url=source.address,
        dialect=dialect_of(source),
    )
    try:
        url = read_url(spec)
    except SourceRefusedError as error:
        return {"address": source_words(error.rule, error.found)}
    if url.password is not None:
        text = _("The address holds a password. Give it as the secret instead.")
        return {"address": text}
    if is_portal_database(url):
        return {"address": source_words("portal-database")}
    return {}


def _authentication_errors(source: StoredSource) -> dict[str, str]:
    keyed = {AuthKind.BASIC, AuthKind.API_KEY_HEADER, AuthKind.API_KEY_QUERY}
    if source.auth in keyed and not source.username:
        return {"username": _("This authentication needs a user or a name of the key.")}
    rule = http_request.header_name_error(source.username)
    if rule and source.auth == AuthKind.API_KEY_HEADER:
        return {"username": _header_words(source.username, rule)}
    if ":" in source.username and source.auth == AuthKind.BASIC:
        return {"username": _("A user of Basic authentication holds no colon.")}
    return {}


def dialect_of(source: StoredSource) -> str:
    """Return the dialect a SQL address names, or an empty text."""
    if source.kind != SourceKind.SQL:
        return ""
    try:
        return sqlalchemy.make_url(source.address).get_backend_name()
    except (UrlError, ValueError):
        return ""


def database_url(address: str, password: str) -> str:
    """Put a password into a SQL address; an unreadable address stays as it is."""
    if not password:
        return address
    try:
        url = sqlalchemy.make_url(address).set(password=password)
    except (UrlError, ValueError):
        return address
    return url.render_as_string(hide_password=False)


def check_table(table: StoredTable) -> None:
    """Refuse a registered table that no query could name, or whose rows are nobody's.

    Raises:
        ValidationError: by field.
    """
    errors: dict[str, str] = {}
    for field in ("schema", "name", "tenant_column"):
        if not str(getattr(table, field)).isprintable():
            errors[field] = _("The name holds a character that no table name has.")
    if table.shared and table.tenant_column:
        errors["shared"] = _(
            "A shared table has no tenant column. Empty the column, or do not share it."
        )
    elif not table.shared and not table.tenant_column:
        errors["tenant_column"] = _(
            "Name the column that tells whose a row is, or share the table."
        )
    if errors:
        raise ValidationError(errors)


# --- Operations ---------------------------------------------------------------------


def check_operation(operation: StoredOperation) -> None:
    """Refuse an operation that could not be called, whatever the arguments.

    Raises:
        ValidationError: by field.
    """
    errors: dict[str, str] = {}
    match operation.source.kind:
        case SourceKind.HTTP:
            errors |= _http_errors(operation)
        case SourceKind.SQL:
            errors |= _sql_errors(operation)
        case SourceKind.PORTAL:
            errors |= _series_errors(operation)
    try:
        read_columns(operation.columns)
    except ValidationError as error:
        errors["columns"] = error.messages[0]
    if errors:
        raise ValidationError(errors)


def _http_errors(operation: StoredOperation) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not _is_clean(operation.path) or set(operation.path) & set("?#\\ "):
        errors["path"] = _(
            "The path holds a blank, a backslash, ? or #. Query parameters have a "
            "field of their own."
        )
    elif any(part in {".", ".."} for part in operation.path.split("/")):
        errors["path"] = messages.failure_text("path-dots", {})
    if error := _texts_error(operation.query):
        errors["query"] = error
    if error := headers_error(operation.headers):
        errors["headers"] = error
    if error := _body_error(operation):
        errors["body"] = error
    if operation.rows_path:
        try:
            compiled_path(operation.rows_path)
        except JMESPathError as error:
            place = getattr(error, "lex_position", None)
            errors["rows_path"] = _jmespath_words(place)
    return errors


def _jmespath_words(place: int | None) -> str:
    if place is None:
        return _("This is not JMESPath. Write for example data.items[*].")
    text = _("This is not JMESPath from character %(place)s on.")
    return text % {"place": place + 1}


def _sql_errors(operation: StoredOperation) -> dict[str, str]:
    verdict = scope_query(
        operation.sql,
        dialect=dialect_of(operation.source),
        tables=operation.source.table_specs(),
    )
    if isinstance(verdict, Refused):
        return {"sql": refusal_words(verdict)}
    return {}


def _series_errors(operation: StoredOperation) -> dict[str, str]:
    if operation.series in SERIES:
        return {}
    known = ", ".join(sorted(SERIES))
    words = series_words("unknown-series", name=operation.series, known=known)
    return {"series": words}


def _body_error(operation: StoredOperation) -> str:
    if operation.body_kind == BodyKind.NONE:
        return ""
    if operation.method == "GET":
        return _("A GET request has no body. Choose POST, or no body.")
    try:
        body = json.loads(operation.body)
    except ValueError as error:
        place = getattr(error, "lineno", 1)
        text = _("The body template is not JSON in line %(line)s.")
        return text % {"line": place}
    if operation.body_kind == BodyKind.FORM:
        return _texts_error(body)
    return ""


def headers_error(headers: object) -> str:
    """Say what is wrong with headers by name, or return an empty text."""
    if error := _texts_error(headers):
        return error
    assert isinstance(headers, Mapping)  # noqa: S101 - as _texts_error found
    for name, value in headers.items():
        if rule := http_request.header_name_error(name):
            return _header_words(name, rule)
        if not http_request.header_value_ok(value):
            return messages.failure_text("header-value", {"name": name})
    return ""


def _header_words(name: str, rule: str) -> str:
    if rule == "header-forbidden":
        text = _("Header %(name)s is set by the portal itself. Remove it.")
    else:
        text = _("%(name)s is no name of a header. Use letters, digits and hyphens.")
    return text % {"name": json.dumps(name[:60])}


def _texts_error(value: object) -> str:
    if not isinstance(value, Mapping):
        return _('Give an object of texts, such as {"name": "value"}.')
    for name, text in value.items():
        if not isinstance(text, str) or not _is_clean(text) or not name:
            words = _("The value of %(name)s is not a text of printable characters.")
            return words % {"name": json.dumps(name[:60])}
    return ""


def _is_clean(text: str) -> bool:
    return not any(mark in text for mark in "\r\n\x00")


def undeclared_names(operation: StoredOperation, declared: Iterable[str]) -> list[str]:
    """Return the names an operation asks for that no parameter has, sorted."""
    asked: set[str] = set()
    bound = http_request.RESERVED
    if operation.source.kind == SourceKind.SQL:
        bound = RESERVED
        verdict = judge(operation.sql, dialect=dialect_of(operation.source))
        asked = set(verdict.parameters) if isinstance(verdict, Allowed) else set()
    elif operation.source.kind == SourceKind.HTTP:
        texts = [operation.path, *_texts(operation.query), *_texts(operation.headers)]
        if operation.body_kind != BodyKind.NONE:
            texts.append(operation.body)
        asked = set().union(*(http_request.placeholders(text) for text in texts))
    return sorted(asked - set(declared) - bound)


def _texts(value: object) -> list[str]:
    return [str(text) for text in value.values()] if isinstance(value, Mapping) else []


def read_columns(value: object) -> tuple[Column, ...]:
    """Read declared columns.

    Raises:
        ValidationError: an entry is not a column, or two have one name.
    """
    if not isinstance(value, list) or len(value) > _MOST_COLUMNS:
        raise ValidationError(
            _('Give a list of columns, such as [{"name": "temp", "type": "decimal"}].')
        )
    columns = tuple(_column(entry, place) for place, entry in enumerate(value, 1))
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        raise ValidationError(_("Two columns have the same name."))
    return columns


def _column(entry: object, place: int) -> Column:
    kinds = ", ".join(filter(None, Personal))
    wrong = {"place": place, "types": ", ".join(ColumnType), "kinds": kinds}
    text = _(
        "Column %(place)s is not right: it needs a name and may have a type "
        "(%(types)s), a label by language, a unit, a format, and what personal data it "
        "holds (true or one of %(kinds)s)."
    )
    if not isinstance(entry, Mapping) or set(entry) - _COLUMN_FIELDS:
        raise ValidationError(text % wrong)
    texts = [entry.get(name, "") for name in ("name", "unit", "format")]
    kind = entry.get("type", ColumnType.TEXT)
    if not all(isinstance(text, str) for text in texts) or not texts[0]:
        raise ValidationError(text % wrong)
    if kind not in list(ColumnType):
        raise ValidationError(text % wrong)
    personal = _personal(entry.get("personal", False))
    if personal is None:
        raise ValidationError(text % wrong)
    label = entry.get("label", {})
    check_label(label)
    return Column(
        name=texts[0],
        type=ColumnType(kind),
        label=label,
        unit=texts[1],
        format=texts[2],
        personal=personal,
    )


def _personal(value: object) -> Personal | None:
    """Read what a column says of personal data; None when it says nothing known."""
    if isinstance(value, bool):
        return Personal.OTHER if value else Personal.NONE
    return Personal(value) if isinstance(value, str) and value in _KINDS else None


def check_names(value: object) -> None:
    """Refuse what is not a list of different names."""
    if not isinstance(value, list) or not all(
        isinstance(name, str) and name.strip() == name != "" for name in value
    ):
        raise ValidationError(_('Give a list of names, such as ["name", "email"].'))


def check_label(value: object) -> None:
    """Refuse a label that is not texts by language."""
    if not isinstance(value, Mapping) or not all(
        isinstance(text, str) for text in value.values()
    ):
        raise ValidationError(
            _('Give texts by language, such as {"ko": "재고", "en": "Stock"}.')
        )
