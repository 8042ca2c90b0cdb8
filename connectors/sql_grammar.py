"""What a saved query may be made of: data of the allow-lists, nothing else.

A part of a statement that is not listed here is refused. Names of parts are those of
sqlglot's node classes; a function that sqlglot knows is a class, any other function
is known by its name, per dialect.
"""

from __future__ import annotations

FIRST_WORDS = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "("})
STATEMENTS = frozenset({"Select", "Union", "Intersect", "Except", "Subquery", "Values"})

_CLAUSES = """
    All Alias Any CTE Cube Distinct Fetch Filter From Group GroupingSets Having
    IgnoreNulls Join Lateral Limit LimitOptions Offset Order Ordered RespectNulls Rollup
    Star Subquery Table TableAlias TableSample Tuple Unnest Values Where Window
    WindowSpec With WithinGroup
"""
_VALUES = """
    Add And Array AtTimeZone Between BitwiseAnd BitwiseLeftShift BitwiseNot BitwiseOr
    BitwiseRightShift BitwiseXor Boolean Bracket Case Cast Collate Column Concat
    CurrentDate CurrentTimestamp DPipe DataType DataTypeParam Div EQ Escape Exists
    Extract GT GTE Glob HexString ILike Identifier If In IntDiv Interval Is JSONBExtract
    JSONBExtractScalar JSONExtract JSONExtractScalar JSONPath JSONPathKey JSONPathRoot
    JSONPathSubscript JSONPathWildcard ByteString LT LTE Like Literal Localtimestamp Mod
    Mul NEQ Neg Not Null NullSafeEQ NullSafeNEQ Or Overlaps Paren Placeholder Pow
    RawString RegexpILike RegexpLike SimilarTo Slice Sub Var ArrayContainsAll
    ArrayContainedBy ArrayOverlaps JSONBContains
"""
_FUNCTIONS = """
    Abs Acos Acosh AnyValue ArrayAgg ArrayAppend ArrayConcat ArrayPosition ArrayPrepend
    ArrayRemove ArraySize ArrayToString Ascii Asin Asinh Atan Atan2 Atanh Avg BitLength
    BitwiseAndAgg BitwiseOrAgg BitwiseXorAgg Cbrt Ceil Chr Coalesce ConcatWs Corr Cos
    Cosh Cot Count CovarPop CovarSamp CumeDist Date DateBin Decode Degrees DenseRank
    Encode Exp Explode ExplodingGenerateSeries Factorial FirstValue Floor Format Getbit
    Greatest GroupConcat Grouping Hex Host Initcap JSONArrayAgg JSONBObjectAgg
    JSONKeyValue JSONObject JSONObjectAgg JSONRemove JSONSet JSONStripNulls JSONType
    JustifyDays JustifyHours JustifyInterval Lag LastValue Lead Least Left Length Ln Log
    LogicalAnd LogicalOr Lower MD5 MakeInterval Max Median Min Mode Normalize NthValue
    Ntile Nullif Overlay Pad PercentRank PercentileCont PercentileDisc Pi Radians Rand
    Rank RegexpCount RegexpInstr RegexpReplace RegexpSubstr RegrAvgx RegrAvgy RegrCount
    RegrIntercept RegrR2 RegrSlope RegrSxx RegrSxy RegrSyy Repeat Replace Reverse Right
    Round RowNumber SHA2Digest Sign Sin Sinh Soundex SplitPart Sqrt StartsWith Stddev
    StddevPop StddevSamp StrPosition StrToDate StrToTime StringToArray Substring Sum Tan
    Tanh TimeFromParts TimeToStr TimestampFromParts TimestampTrunc ToNumber Translate
    Trim Trunc TsOrDsToTimestamp Typeof Unhex Unicode UnixToTime Upper Uuid Variance
    VariancePop WidthBucket
"""
_PARTS = STATEMENTS | frozenset((_CLAUSES + _VALUES + _FUNCTIONS).split())
PARTS = {
    "postgresql": _PARTS,
    # SQLite has no regular expressions of its own: the driver's run in Python, where
    # no deadline ends them.
    "sqlite": _PARTS
    - {"RegexpLike", "RegexpILike", "SimilarTo", "RegexpReplace", "RegexpCount"},
}

_POSTGRESQL = """
    acosd age array_dims array_fill array_lower array_ndims array_positions
    array_replace array_to_json array_upper asind atand broadcast cardinality
    clock_timestamp cosd date_add date_subtract daterange erf every family gcd
    generate_subscripts get_byte inet_same_family int4range int8range isempty
    isfinite json_array_elements json_array_elements_text json_array_length
    json_build_array json_build_object json_each json_each_text json_object_keys
    json_typeof jsonb_agg jsonb_array_elements jsonb_array_elements_text
    jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each
    jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert
    jsonb_object jsonb_object_keys jsonb_path_exists jsonb_path_match
    jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_pretty
    jsonb_set jsonb_strip_nulls jsonb_typeof lcm lower_inc lower_inf make_date
    make_timestamptz masklen min_scale network num_nonnulls num_nulls numrange
    octet_length phraseto_tsquery plainto_tsquery quote_ident quote_literal
    quote_nullable range_merge regexp_match regexp_matches regexp_split_to_array
    regexp_split_to_table row row_to_json scale sha224 similarity sind
    statement_timestamp string_to_table tand timeofday timezone to_ascii to_json
    to_jsonb to_tsquery to_tsvector transaction_timestamp trim_array trim_scale
    ts_headline ts_rank ts_rank_cd tsrange tstzrange unistr upper_inc upper_inf
    uuidv7 websearch_to_tsquery word_similarity
"""
_SQLITE = """
    date datetime json json_array json_array_length json_each json_insert json_patch
    json_quote json_replace json_tree json_valid julianday likelihood likely
    octet_length percentile printf quote strftime time timediff total unixepoch
    unlikely
"""
FUNCTIONS = {
    "postgresql": frozenset(_POSTGRESQL.split()),
    "sqlite": frozenset(_SQLITE.split()),
}

_TYPES = """
    ARRAY BIGDECIMAL BIGINT BINARY BIT BOOLEAN CHAR DATE DATERANGE DATETIME DECIMAL
    DOUBLE FLOAT INET INT INT4RANGE INT8RANGE INTERVAL JSON JSONB MEDIUMINT NCHAR
    NUMRANGE NVARCHAR SMALLINT TEXT TIME TIMESTAMP TIMESTAMPNTZ TIMESTAMPTZ TIMETZ
    TINYINT TSRANGE TSTZRANGE UUID VARBINARY VARCHAR
"""
TYPES = frozenset(_TYPES.split())

# Whole schemas, and beginnings of table names, that hold what belongs to the engine:
# other sessions' statements, password hashes, other tenants' most common values.
CATALOG_SCHEMAS = {
    "postgresql": ("pg_", "information_schema"),
    "sqlite": ("temp", "sqlite_"),
}
CATALOG_TABLES = {
    "postgresql": ("pg_",),
    "sqlite": ("sqlite_", "pragma_", "dbstat", "bytecode", "tables_used"),
}

# Words without parentheses that are functions of the engine, not columns.
KEYWORDS = {
    "postgresql": frozenset(
        {
            "user",
            "current_user",
            "session_user",
            "system_user",
            "current_role",
            "current_catalog",
            "current_schema",
        }
    ),
    "sqlite": frozenset[str](),
}
