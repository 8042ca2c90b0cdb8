"""Functions a saved query may call, by the name its writer gives them. Data only.

Each of them only computes: none reads a file, the network, a catalog or the session,
none sleeps, locks, counts a sequence on, or runs a text as SQL. On PostgreSQL all but
`VOLATILE` are immutable or stable there; the tests ask a real server.
"""

from __future__ import annotations

# Forms with their own grammar that PostgreSQL does not keep as functions.
_POSTGRESQL_FORMS_WORDS = """
    array coalesce current_time current_timestamp greatest grouping json json_array
    json_arrayagg json_exists json_objectagg json_query json_scalar json_serialize
    json_value least localtime localtimestamp nullif row
"""
POSTGRESQL_FORMS = frozenset(_POSTGRESQL_FORMS_WORDS.split())
# Of extensions that come with PostgreSQL; they only compare texts.
_POSTGRESQL_EXTENSIONS_WORDS = """
    daitch_mokotoff difference dmetaphone dmetaphone_alt levenshtein
    levenshtein_less_equal metaphone similarity soundex strict_word_similarity unaccent
    word_similarity
"""
POSTGRESQL_EXTENSIONS = frozenset(_POSTGRESQL_EXTENSIONS_WORDS.split())
_VOLATILE_WORDS = """
    clock_timestamp gen_random_uuid random random_normal timeofday uuidv4 uuidv7
    array_sample array_shuffle
"""
VOLATILE = frozenset(_VOLATILE_WORDS.split())
_POSTGRESQL = """
    abbrev abs acos acosd acosh age any_value area array_agg array_append array_cat
    array_dims array_fill array_length array_lower array_ndims array_position
    array_positions array_prepend array_remove array_replace array_reverse
    array_sort array_to_json array_to_string array_to_tsvector array_upper ascii asin
    asind asinh atan atan2 atan2d atand atanh avg bit_and bit_count bit_length bit_or
    bit_xor bool_and bool_or bound_box box broadcast btrim cardinality casefold cbrt
    ceil ceiling center char_length character_length chr circle concat concat_ws
    convert convert_from convert_to corr cos cosd cosh cot cotd count covar_pop
    covar_samp crc32 crc32c cume_dist date date_add date_bin date_part date_subtract
    date_trunc datemultirange daterange decode degrees dense_rank diagonal diameter div
    encode enum_first enum_last enum_range erf erfc every exp extract factorial family
    first_value float4 float8 floor format gamma gcd generate_series
    generate_subscripts get_bit get_byte height host hostmask inet_merge
    inet_same_family initcap int2 int4 int4multirange int4range int8 int8multirange
    int8range interval is_normalized isclosed isempty isfinite ishorizontal isopen
    isparallel isperp isvertical json_agg json_agg_strict json_array_elements
    json_array_elements_text json_array_length json_build_array json_build_object
    json_each json_each_text json_extract_path json_extract_path_text json_object
    json_object_agg json_object_agg_strict json_object_agg_unique
    json_object_agg_unique_strict json_object_keys json_populate_record
    json_populate_recordset json_strip_nulls json_to_record json_to_recordset
    json_to_tsvector json_typeof jsonb_agg jsonb_agg_strict jsonb_array_elements
    jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object
    jsonb_each jsonb_each_text jsonb_exists jsonb_exists_all jsonb_exists_any
    jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object
    jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique
    jsonb_object_agg_unique_strict jsonb_object_keys jsonb_path_exists
    jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz jsonb_path_query
    jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first
    jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record
    jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls
    jsonb_to_record jsonb_to_recordset jsonb_to_tsvector jsonb_typeof justify_days
    justify_hours justify_interval lag last_value lcm lead left length lgamma line ln
    log log10 lower lower_inc lower_inf lpad lseg ltrim macaddr8_set7bit make_date
    make_interval make_time make_timestamp make_timestamptz masklen max md5 min
    min_scale mod mode multirange netmask network normalize now npoints nth_value ntile
    num_nonnulls num_nulls numeric nummultirange numnode numrange octet_length
    overlaps overlay parse_ident path pclose percent_rank percentile_cont
    percentile_disc pg_size_bytes pg_size_pretty pg_typeof phraseto_tsquery pi
    plainto_tsquery point polygon popen position pow power querytree quote_ident
    quote_literal quote_nullable radians radius range_agg range_intersect_agg
    range_merge rank regexp_count regexp_instr regexp_like regexp_match regexp_matches
    regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr regr_avgx
    regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
    repeat replace reverse right round row_number row_to_json rpad rtrim scale set_bit
    set_byte set_masklen setweight sha224 sha256 sha384 sha512 sign sin sind sinh slope
    split_part sqrt starts_with statement_timestamp stddev stddev_pop stddev_samp
    string_agg string_to_array string_to_table strip strpos substr substring sum tan
    tand tanh text timestamp timestamptz timezone to_ascii to_bin to_char to_date
    to_hex to_json to_jsonb to_number to_oct to_timestamp to_tsquery to_tsvector
    transaction_timestamp translate trim_array trim_scale trunc ts_delete ts_filter
    ts_headline ts_lexize ts_rank ts_rank_cd tsmultirange tsquery_phrase tsrange
    tstzmultirange tstzrange tsvector_to_array unicode_assigned unistr unnest upper
    upper_inc upper_inf uuid_extract_timestamp uuid_extract_version var_pop var_samp
    variance websearch_to_tsquery width width_bucket
"""
_SQLITE = """
    abs acos acosh asin asinh atan atan2 atanh avg ceil ceiling char coalesce concat
    concat_ws cos cosh count cume_dist current_date current_time current_timestamp date
    datetime degrees dense_rank exp first_value floor format glob group_concat hex
    ifnull iif instr json json_array json_array_length json_each json_error_position
    json_extract json_group_array json_group_object json_insert json_object json_patch
    json_pretty json_quote json_remove json_replace json_set json_tree json_type
    json_valid jsonb jsonb_array jsonb_each jsonb_extract jsonb_group_array
    jsonb_group_object jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace
    jsonb_set jsonb_tree julianday lag last_value lead length like likelihood likely ln
    log log10 log2 lower ltrim max median min mod nth_value ntile nullif octet_length
    percent_rank percentile percentile_cont percentile_disc pi pow power printf quote
    radians random rank replace round row_number rtrim sign sin sinh soundex sqrt
    strftime string_agg substr substring sum tan tanh time timediff total trim
    trunc typeof unhex unicode unistr unistr_quote unixepoch unlikely upper
"""
_MYSQL_FAMILY = """
    abs acos adddate addtime aes_decrypt aes_encrypt ascii asin atan atan2 avg bin
    bit_and bit_count bit_length bit_or bit_xor ceil ceiling char char_length
    character_length coalesce coercibility collation compress concat concat_ws conv
    convert convert_tz cos cot count crc32 cume_dist curdate current_date current_time
    current_timestamp curtime date date_add date_format date_sub datediff day dayname
    dayofmonth dayofweek dayofyear degrees dense_rank elt exp export_set field
    find_in_set first_value floor format from_base64 from_days from_unixtime
    geomfromtext get_format greatest group_concat hex hour if ifnull inet6_aton
    inet6_ntoa inet_aton
    inet_ntoa insert instr interval is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 isnull
    json_array json_array_append json_array_insert json_arrayagg json_contains
    json_contains_path json_depth json_extract json_insert json_keys json_length
    json_merge json_merge_patch json_merge_preserve json_object json_objectagg
    json_overlaps json_quote json_remove json_replace json_schema_valid json_search
    json_set json_type json_unquote json_valid json_value lag last_day last_value lcase
    lead least left length ln localtime localtimestamp locate log log10 log2 lower lpad
    ltrim makedate maketime make_set max md5 microsecond mid min minute mod month
    monthname now nth_value ntile nullif oct octet_length ord percent_rank period_add
    period_diff pi point position pow power quarter quote radians rand rank
    regexp_instr regexp_replace regexp_substr repeat replace reverse right round
    row_number rpad rtrim sec_to_time second sha sha1 sha2 sign sin soundex
    space sqrt st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_buffer
    st_centroid st_contains st_convexhull st_crosses st_difference st_dimension
    st_disjoint st_distance st_distance_sphere st_endpoint st_envelope st_equals
    st_exteriorring st_geometryn st_geometrytype st_geomfromgeojson st_geomfromtext
    st_geomfromwkb st_interiorringn st_intersection st_intersects st_isclosed st_isempty
    st_issimple st_length st_numgeometries st_numinteriorrings st_numpoints st_overlaps
    st_pointfromtext st_pointn st_srid st_startpoint st_symdifference st_touches
    st_union st_within st_x st_y std stddev stddev_pop stddev_samp str_to_date strcmp
    subdate substr substring substring_index subtime sum sysdate tan time time_format
    time_to_sec timediff timestamp timestampadd timestampdiff to_base64 to_days
    to_seconds trim truncate ucase unhex unix_timestamp upper utc_date utc_time
    utc_timestamp uuid var_pop var_samp variance week weekday weekofyear weight_string
    year yearweek
"""
_MYSQL = """
    any_value bin_to_uuid grouping is_uuid json_pretty json_storage_size
    regexp_like st_geohash st_isvalid st_latfromgeohash st_latitude
    st_longfromgeohash st_longitude st_makeenvelope st_pointfromgeohash st_simplify
    st_validate uuid_to_bin
"""
_MARIADB = """
    add_months chr crc32c date_diff decode_oracle json_array_intersect json_compact
    json_detailed json_equals json_exists json_loose json_normalize
    json_object_filter_keys json_object_to_array json_pretty json_query length_oracle
    lengthb median
    natural_sort_key nvl nvl2 percentile_cont percentile_disc sformat st_boundary
    st_isring st_pointonsurface st_relate substr_oracle to_char trim_oracle uuid_v4
    uuid_v7
"""
FUNCTIONS = {
    "postgresql": frozenset(_POSTGRESQL.split())
    | POSTGRESQL_FORMS
    | POSTGRESQL_EXTENSIONS
    | VOLATILE,
    "mysql": frozenset((_MYSQL_FAMILY + _MYSQL).split()) - {"json_table"},
    "mariadb": frozenset((_MYSQL_FAMILY + _MARIADB).split()),
    "sqlite": frozenset(_SQLITE.split()),
}
