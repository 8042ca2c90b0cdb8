"""What a saved query may be made of: data of the allow-lists, nothing else.

A part of a statement that is not listed here is refused, and so is an argument of a
part: names are those of sqlglot's node classes and of their arguments. Functions are
known by their own names (`connectors.sql_functions`).
"""

from __future__ import annotations

FIRST_WORDS = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "("})
STATEMENTS = frozenset({"Select", "Union", "Intersect", "Except", "Subquery", "Values"})

_PLAIN = """
    All Alias Any Distinct Exists Filter From GroupingSets Having IgnoreNulls
    LimitOptions RespectNulls Rollup Cube Star TableAlias Tuple Values Where With
    WithinGroup Offset

    Add And Anonymous Array AtTimeZone Between BitString BitwiseAnd BitwiseLeftShift
    BitwiseNot BitwiseOr BitwiseRightShift BitwiseXor Boolean Bracket ByteString Case
    Cast Collate Column CurrentDate CurrentTime CurrentTimestamp DPipe DataType
    DataTypeParam Div EQ Escape Extract GT GTE Glob HexString Identifier If In IntDiv
    Interval IntervalSpan Is JSONExtract JSONExtractScalar JSONPath JSONPathKey
    JSONPathRoot JSONPathSubscript JSONPathWildcard Kwarg LT LTE Like Literal Localtime
    Localtimestamp Mod Mul NEQ National Neg Not Null NullSafeEQ NullSafeNEQ Or Paren
    Placeholder RawString Slice Sub Var WindowSpec
"""
_POSTGRESQL = """
    ArrayContainedBy ArrayContainsAll ArrayOverlaps Adjacent Distance
    ExtendsLeft ExtendsRight ILike JSONBContains JSONBContainsAllTopKeys
    JSONBContainsAnyTopKeys JSONBDeleteAtPath JSONBExtract JSONBExtractScalar
    JSONBPathExists JSONKeyValue JSONObject MatchAgainst Normalize Overlaps Overlay Pow
    RegexpILike RegexpLike SimilarTo StrPosition Substring TableFromRows TableSample
    Trim Unnest Variadic JSONArrayContains
    ArrayContains RecursiveWithSearch StartsWith Sqrt Cbrt ColumnDef
"""
_SQLITE = "StrPosition Substring Trim"
_MYSQL = """
    CharacterSet Chr Concat DateAdd DateSub GroupConcat IndexTableHint Introducer
    MatchAgainst RegexpLike Soundex StrPosition Substring Trim Xor
"""
_QUERIES = "CTE Fetch Group Join Lateral Limit Order Ordered Subquery Table Window"
_ALL = STATEMENTS | frozenset((_PLAIN + _QUERIES).split())
PARTS = {
    "postgresql": _ALL | frozenset(_POSTGRESQL.split()),
    # The regular expressions of SQLite's driver run in Python, where no deadline ends
    # them.
    "sqlite": _ALL | frozenset(_SQLITE.split()),
    "mysql": _ALL | frozenset(_MYSQL.split()),
    "mariadb": _ALL | frozenset(_MYSQL.split()),
}

# Arguments of a part, beside ``this``, ``expression`` and ``expressions``.
_SET_OPERATION = "distinct limit offset order side with_"
_ARGUMENTS = {
    "Alias": "alias",
    "Array": "bracket_notation value_constructor",
    "ArrayOverlaps": "null_safe",
    "AtTimeZone": "zone",
    "Between": "high low symmetric",
    "Bracket": "offset safe",
    "ByteString": "is_bytes",
    "CTE": "alias materialized",
    "Case": "default ifs",
    "Cast": "to",
    "CharacterSet": "default",
    "Chr": "charset",
    "Column": "db table",
    "ColumnDef": "kind",
    "Concat": "coalesce safe",
    "DPipe": "safe",
    "DataType": "kind nested values",
    "DateAdd": "unit",
    "DateSub": "unit",
    "Div": "safe typed",
    "Except": _SET_OPERATION,
    "Fetch": "count direction limit_options",
    "Group": "cube grouping_sets rollup",
    "GroupConcat": "separator",
    "HexString": "is_integer",
    "ILike": "negate",
    "Identifier": "quoted",
    "If": "false true",
    "In": "query",  # ``a IN t`` of SQLite would read a table that no FROM names
    "IndexTableHint": "target",
    "Intersect": _SET_OPERATION,
    "Interval": "unit",
    "Is": "negate",
    "JSONBExtractScalar": "json_type",
    "JSONExtract": "only_json_types requires_json variant_extract",
    "JSONExtractScalar": "json_type only_json_types scalar_only",
    "JSONObject": "null_handling unique_keys",
    "JSONPathKey": "quoted",
    "Join": "kind method on side using",
    "Lateral": "alias ordinality",
    "Like": "negate",
    "Limit": "limit_options offset",
    "LimitOptions": "percent rows with_ties",
    "Literal": "is_string",
    "MatchAgainst": "modifier",
    "Normalize": "form",
    "Ordered": "desc nulls_first",
    "Overlay": "for_ from_",
    "RecursiveWithSearch": "kind to using",
    "RegexpLike": "flag full_match",
    "Select": (
        "distinct from_ group having joins laterals limit offset order where windows"
        " with_"
    ),
    "StrPosition": "substr",
    "Subquery": "alias joins limit offset order sample with_",
    "Substring": "length start",
    "Table": (
        "alias catalog db hints indexed joins laterals only ordinality rows_from sample"
    ),
    "TableAlias": "columns",
    "TableFromRows": "alias joins sample",
    "TableSample": "method percent seed size",
    "Trim": "position",
    "Union": _SET_OPERATION,
    "Unnest": "alias offset",
    "Values": "alias limit offset order",
    "Window": "alias first order over partition_by spec",
    "WindowSpec": "end end_side exclude kind start start_side",
    "With": "recursive search",
    "Xor": "round_input",
}
_ANY = frozenset({"this", "expression", "expressions"})
ARGUMENTS = {
    name: _ANY | frozenset(_ARGUMENTS.get(name, "").split())
    for name in frozenset().union(*PARTS.values())
}
# ``DISTINCT ON`` is PostgreSQL's alone.
ARGUMENTS_OF = {("postgresql", "Distinct"): _ANY | {"on"}}

_TYPES = """
    ARRAY BIGDECIMAL BIGINT BINARY BIT BOOLEAN CHAR DATE DATETIME DECIMAL DOUBLE FLOAT
    INT INTERVAL JSON JSONB NCHAR NVARCHAR SMALLINT TEXT TIME TIMESTAMP TIMESTAMPNTZ
    TIMESTAMPTZ TIMETZ TINYINT UUID VARBINARY VARCHAR
"""
_POSTGRESQL_TYPES = """
    CIDR DATEMULTIRANGE DATERANGE INET INT4MULTIRANGE INT4RANGE INT8MULTIRANGE INT8RANGE
    MONEY NAME NUMMULTIRANGE NUMRANGE SERIAL TSMULTIRANGE TSRANGE TSTZMULTIRANGE
    TSTZRANGE POINT LINE LSEG BOX PATH POLYGON CIRCLE TSVECTOR TSQUERY MACADDR
"""
_MYSQL_TYPES = """
    LONGBLOB LONGTEXT MEDIUMBLOB MEDIUMINT MEDIUMTEXT TINYBLOB TINYTEXT UBIGINT UDECIMAL
    CHARACTER_SET UINT USMALLINT UTINYINT YEAR
"""
TYPES = {
    "postgresql": frozenset((_TYPES + _POSTGRESQL_TYPES).split()),
    "sqlite": frozenset((_TYPES + "BLOB MEDIUMINT").split()),
    "mysql": frozenset((_TYPES + _MYSQL_TYPES).split()),
    "mariadb": frozenset((_TYPES + _MYSQL_TYPES).split()),
}
# Types that sqlglot knows by name only.
_NAMED_TYPES_WORDS = """
    box box2d cidr circle line lseg macaddr macaddr8 path point polygon tsquery
    tsvector varbit
"""
NAMED_TYPES = frozenset(_NAMED_TYPES_WORDS.split())

# Whole schemas, and beginnings of table names, that hold what belongs to the engine:
# other sessions' statements, password hashes, other tenants' most common values.
_MYSQL_SCHEMAS = ("information_schema", "mysql", "performance_schema", "sys")
CATALOG_SCHEMAS: dict[str, tuple[str, ...]] = {
    "postgresql": ("pg_", "information_schema"),
    "sqlite": ("temp", "sqlite_"),
    "mysql": _MYSQL_SCHEMAS,
    "mariadb": _MYSQL_SCHEMAS,
}
CATALOG_TABLES: dict[str, tuple[str, ...]] = {
    "postgresql": ("pg_",),
    "sqlite": ("sqlite_", "pragma_", "dbstat", "bytecode", "tables_used"),
    "mysql": (),
    "mariadb": (),
}

# Words without parentheses that are functions of the engine, not columns.
_POSTGRESQL_WORDS = """
    user current_user session_user system_user current_role current_catalog
    current_schema
"""
KEYWORDS: dict[str, frozenset[str]] = {
    "postgresql": frozenset(_POSTGRESQL_WORDS.split()),
    "sqlite": frozenset(),
    "mysql": frozenset({"current_user", "current_role"}),
    "mariadb": frozenset({"current_user", "current_role"}),
}

# Columns of functions that make rows, beside those their alias names.
ROW_COLUMNS = frozenset({"key", "ordinality", "value"})
SAMPLING = frozenset({"bernoulli", "system"})
# ``s.nextval`` counts a sequence on.
SEQUENCE_WORDS: dict[str, frozenset[str]] = {
    "postgresql": frozenset(),
    "sqlite": frozenset(),
    "mysql": frozenset(),
    "mariadb": frozenset({"currval", "nextval"}),
}
