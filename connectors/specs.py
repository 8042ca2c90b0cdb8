"""What an operation is, as frozen values: everything a call needs and no model.

Specs are made once per page from rows (``connectors.services.load_operations``) and
travel to the event loop and to pool threads, where no lazy query may run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.outcomes import Column
from connectors.parameters import ParameterSpec

DEFAULT_MAX_BODY_BYTES = 10 * 1024 * 1024


class SourceKind(StrEnum):
    HTTP = "http"
    SQL = "sql"
    PORTAL = "portal"


class AuthKind(StrEnum):
    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"
    API_KEY_HEADER = "api_key_header"
    API_KEY_QUERY = "api_key_query"


class BodyKind(StrEnum):
    """How an HTTP request carries its body."""

    NONE = "none"
    JSON = "json"
    FORM = "form"


class BodyFormat(StrEnum):
    """How an HTTP answer is read; AUTO goes by content type, then first bytes."""

    AUTO = "auto"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    TEXT = "text"


class TenantValue(StrEnum):
    """What a table's tenant column holds, and so what is bound beside it."""

    KEY = "key"
    ID = "id"


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table that saved queries of a data source may read.

    Attributes:
        name: Name of the table, as the database has it.
        schema: Its schema; empty for the one the connection finds first.
        tenant_column: Column that tells whose a row is; empty when every tenant may
            read every row.
        tenant_value: What that column holds.
        personal_columns: Columns that hold personal data.
    """

    name: str
    schema: str = ""
    tenant_column: str = ""
    tenant_value: TenantValue = TenantValue.KEY
    personal_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One data source, ready to be called.

    Attributes:
        key: Key of the data source, unique in its tenant.
        kind: What it speaks.
        tenant_id: Primary key of the tenant that owns it.
        tenant_key: Key of that tenant; bound to the reserved value ``:tenant``.
        base_url: HTTP: address every path is joined to. SQL: complete SQLAlchemy URL,
            credentials included. Portal: empty. Never shown, never logged.
        dialect: SQL: ``postgresql``, ``mysql`` or ``sqlite``; otherwise empty.
        auth: How an HTTP request proves who it is.
        username: User of BASIC; name of the header or query parameter of an API key.
        secret: Password, token or key, in the clear. Never shown, never logged.
        headers: Sent with every HTTP request; may hold secrets.
        connect_timeout_ms: Milliseconds for name, connection and TLS together.
        read_timeout_ms: Milliseconds of silence after which an answer is given up.
        max_body_bytes: Largest decoded HTTP body, in bytes.
        allowed_networks: Inner networks with ports this source may reach, such as
            ``10.0.0.0/8:443``; public addresses need none.
        verify_tls: False only for a source whose certificate cannot be checked.
        tables: SQL: every table its queries may read.
        personal_fields: Names of columns that hold personal data in any answer.
        fault: Rule id of ``connectors.messages`` when the source cannot be called,
            such as ``secret-unopened``; empty when all is well.
    """

    key: str
    kind: SourceKind
    tenant_id: int
    tenant_key: str
    base_url: str = field(default="", repr=False)
    dialect: str = ""
    auth: AuthKind = AuthKind.NONE
    username: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    connect_timeout_ms: int = 2_000
    read_timeout_ms: int = 10_000
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
    allowed_networks: tuple[str, ...] = field(default=(), repr=False)
    verify_tls: bool = True
    tables: tuple[TableSpec, ...] = ()
    personal_fields: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """One operation, ready to be performed.

    Attributes:
        key: Key of the operation, unique in its tenant.
        source: The data source it calls.
        label: Name by language for people.
        method: HTTP: ``GET``, ``POST``, …
        path: HTTP: path template under the base address, such as ``/sites/{site}``.
        query: HTTP: query parameters; a value may hold ``{name}`` placeholders.
        headers: HTTP: headers; a value may hold ``{name}`` placeholders.
        body_kind: HTTP: how the request carries `body`.
        body: HTTP: template of the body. JSON text for JSON, an object of texts (as
            JSON text) for FORM; texts inside may hold ``{name}`` placeholders.
        body_format: HTTP: how the answer is read.
        rows_path: JMESPath from the body to its rows; empty for the body itself.
        sql: SQL: one read-only statement with ``:name`` parameters.
        series: Portal: name of a series of ``observability.services.SERIES``.
        columns: Declared columns; empty when they are inferred from the answer.
        parameters: What the operation takes.
        timeout_ms: Milliseconds for the whole call.
        row_limit: Most rows a table keeps; the rest is cut and said so.
        keep_last_good_s: Seconds a good answer is kept for a fallback; 0 keeps none.
        version: Changes whenever the operation or its source does; part of cache keys.
    """

    key: str
    source: SourceSpec
    label: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    path: str = ""
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body_kind: BodyKind = BodyKind.NONE
    body: str = ""
    body_format: BodyFormat = BodyFormat.AUTO
    rows_path: str = ""
    sql: str = ""
    series: str = ""
    columns: tuple[Column, ...] = ()
    parameters: tuple[ParameterSpec, ...] = ()
    timeout_ms: int = 3_000
    row_limit: int = 1_000
    keep_last_good_s: int = 0
    version: str = ""

    @property
    def kind(self) -> SourceKind:
        """What the operation is: the same as what its data source speaks."""
        return self.source.kind

    @property
    def may_be_personal(self) -> bool:
        """Whether anything says that answers may hold personal data."""
        return (
            bool(self.source.personal_fields)
            or any(table.personal_columns for table in self.source.tables)
            or any(column.personal for column in self.columns)
        )
