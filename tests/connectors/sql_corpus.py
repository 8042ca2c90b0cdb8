"""Statements that must be refused, and plain reads that must be accepted and run.

The plain reads fit the tables of ``SCHEMA``, which both engines understand.
"""

# ruff: noqa: E501 - one statement is one line

from __future__ import annotations

SCHEMA = (
    "CREATE TABLE sites (id INTEGER PRIMARY KEY, name TEXT NOT NULL, region TEXT)",
    (
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, site_id INTEGER, amount NUMERIC(10,2),"
        " status TEXT, placed_on DATE, note TEXT)"
    ),
    (
        "INSERT INTO sites VALUES (1, 'Busan', 'south'), (2, 'Seoul', 'north'),"
        " (3, 'Jeju', NULL)"
    ),
    (
        "INSERT INTO orders VALUES (1, 1, 10.50, 'open', '2026-01-05', 'a:b'),"
        " (2, 1, 99.90, 'closed', '2026-02-07', NULL),"
        " (3, 2, 5, 'open', '2026-02-07', 'it''s'), (4, 3, 0, 'lost', '2026-03-01', '')"
    ),
)

HOSTILE = """
SELECT 1; SELECT 2
SELECT 1; DROP TABLE orders
COMMIT; DROP TABLE orders
/* read */ COMMIT; DROP TABLE orders
SELECT 1;;DELETE FROM orders
BEGIN
COMMIT
ROLLBACK
SAVEPOINT s
RELEASE SAVEPOINT s
START TRANSACTION READ WRITE
INSERT INTO orders (id) VALUES (99)
INSERT INTO orders SELECT * FROM orders
INSERT INTO orders (id) VALUES (99) RETURNING id
UPDATE orders SET amount = 0
UPDATE orders SET amount = 0 WHERE id = 1 RETURNING *
DELETE FROM orders
DELETE FROM orders WHERE id IN (SELECT id FROM sites)
REPLACE INTO orders (id) VALUES (99)
MERGE INTO orders USING sites ON orders.id = sites.id WHEN MATCHED THEN DELETE
TRUNCATE orders
TRUNCATE TABLE orders
DROP TABLE orders
DROP VIEW v
DROP INDEX i
DROP SCHEMA public CASCADE
DROP DATABASE external
CREATE TABLE t (id INTEGER)
CREATE TABLE t AS SELECT * FROM orders
CREATE TEMP TABLE t AS SELECT 1
CREATE TEMPORARY TABLE t (id INTEGER)
CREATE VIEW v AS SELECT * FROM orders
CREATE INDEX i ON orders (id)
CREATE TRIGGER r AFTER INSERT ON orders BEGIN SELECT 1; END
ALTER TABLE orders ADD COLUMN x INTEGER
ALTER TABLE orders RENAME TO gone
REINDEX orders
ANALYZE
ANALYZE orders
VACUUM
EXPLAIN SELECT 1
EXPLAIN ANALYZE SELECT 1
EXPLAIN ANALYZE DELETE FROM orders
WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone
WITH gone AS (UPDATE orders SET amount = 0 RETURNING *) SELECT * FROM gone
WITH made AS (INSERT INTO orders (id) VALUES (99) RETURNING *) SELECT * FROM made
WITH a AS (SELECT 1) DELETE FROM orders
WITH a AS (SELECT 1) INSERT INTO orders (id) SELECT 99
WITH a AS (SELECT 1) UPDATE orders SET amount = 0
WITH a AS (WITH b AS (DELETE FROM orders RETURNING *) SELECT * FROM b) SELECT * FROM a
SELECT * FROM (DELETE FROM orders RETURNING *) AS gone
SELECT /*! 1 */ 2
SELECT 1 /*!50000 UNION SELECT 2 */
/*! DROP TABLE orders */
/*M! DROP TABLE orders */
/*M!100100 DROP TABLE orders */ SELECT 1
SELECT /*+ SET_VAR(max_execution_time=0) */ 1
SELECT /*+ parallel */ * FROM orders
SELECT 'a' /*! b */
SELECT * FROM orders WHERE id = ?
SELECT * FROM orders WHERE id = ?1
SELECT * FROM orders WHERE id = $1
SELECT * FROM orders WHERE id = %s
SELECT * FROM orders WHERE id = %(id)s
SELECT * FROM orders WHERE id = @id
SELECT :1
SELECT ::a
SELECT
SELECT * FROM
SELECT (
SELECT )
SELECT 'open
SELECT "open
SELECT * FROM orders WHERE
FROM orders
(
;
-- only a comment
/* only a comment */
/* not closed
hello
DROP
42
NULL
SET x = 1
SET ROLE postgres
RESET ALL
USE external
GRANT SELECT ON orders TO PUBLIC
REVOKE ALL ON orders FROM PUBLIC
CALL p()
EXECUTE p
PREPARE p AS SELECT 1
DEALLOCATE ALL
DECLARE c CURSOR FOR SELECT 1
FETCH ALL FROM c
HANDLER orders OPEN
LOAD DATA INFILE '/etc/passwd' INTO TABLE orders
SELECT * FROM orders INTO OUTFILE '/tmp/x'
SELECT 1 INTO @v
SHOW TABLES
DESCRIBE orders
KILL 1
SELECT no_such_function(1)
SELECT my_own_function(id) FROM orders
SELECT id FROM orders ORDER BY my_own_function(id)
SELECT id FROM orders LIMIT my_own_function(1)
SELECT count(*) FILTER (WHERE my_own_function(id)) FROM orders
SELECT sum(id) OVER (ORDER BY my_own_function(id)) FROM orders
SELECT id FROM orders GROUP BY id HAVING my_own_function(id)
SELECT CASE WHEN my_own_function(1) THEN 1 END
SELECT "my_own_function"(1)
SELECT my_own_function/* */(1)
SELECT * FROM (VALUES (my_own_function(1))) AS v (x)
SELECT * FROM my_own_function(1)
SELECT other.my_own_function(1)
""".strip().splitlines()

HOSTILE_POSTGRESQL = """
SELECT pg_sleep(60)
SELECT pg_sleep_for('1 minute')
SELECT pg_catalog.pg_sleep(60)
SELECT "pg_sleep"(60)
SELECT pg_read_file('/etc/passwd')
SELECT pg_read_binary_file('/etc/passwd')
SELECT pg_ls_dir('/')
SELECT * FROM pg_ls_dir('/') AS d
SELECT * FROM ROWS FROM (generate_series(1, 2), pg_ls_dir('/')) AS r
SELECT pg_stat_file('/etc/passwd')
SELECT lo_import('/etc/passwd')
SELECT lo_export(1, '/tmp/x')
SELECT lo_create(99)
SELECT lo_unlink(99)
SELECT lo_put(1, 0, 'x')
SELECT loread(1, 2)
SELECT nextval('s')
SELECT setval('s', 1)
SELECT currval('s')
SELECT set_config('app.tenant_id', '2', true)
SELECT * FROM orders WHERE set_config('app.tenant_id', '2', true) IS NOT NULL
SELECT current_setting('data_directory')
SELECT pg_advisory_lock(1)
SELECT pg_advisory_xact_lock(1)
SELECT pg_try_advisory_lock(1)
SELECT pg_terminate_backend(1)
SELECT pg_cancel_backend(1)
SELECT pg_reload_conf()
SELECT pg_rotate_logfile()
SELECT pg_switch_wal()
SELECT pg_create_restore_point('x')
SELECT pg_notify('a', 'b')
SELECT txid_current()
SELECT pg_current_xact_id()
SELECT query_to_xml('DELETE FROM orders', true, true, '')
SELECT query_to_xmlschema('SELECT 1', true, true, '')
SELECT query_to_xml_and_xmlschema('SELECT 1', true, true, '')
SELECT table_to_xml('orders', true, true, '')
SELECT schema_to_xml('public', true, true, '')
SELECT database_to_xml(true, true, '')
SELECT cursor_to_xml('c', 1, true, true, '')
SELECT ts_stat('SELECT note FROM orders')
SELECT * FROM ts_stat('SELECT note FROM orders')
SELECT ts_rewrite('a'::tsquery, 'SELECT 1')
SELECT dblink('host=10.0.0.1', 'SELECT 1')
SELECT * FROM dblink('host=10.0.0.1', 'SELECT 1') AS t (a INTEGER)
SELECT dblink_exec('DROP TABLE orders')
SELECT * FROM crosstab('SELECT 1') AS t (a INTEGER)
SELECT pg_logical_emit_message(true, 'a', 'b')
SELECT has_table_privilege('orders', 'SELECT')
SELECT version()
SELECT inet_server_addr()
SELECT pg_backend_pid()
SELECT current_user
SELECT session_user
SELECT user
SELECT current_schema
SELECT current_role
SELECT current_catalog
SELECT * FROM pg_catalog.pg_class
SELECT * FROM pg_class
SELECT * FROM pg_shadow
SELECT * FROM pg_authid
SELECT * FROM pg_stat_activity
SELECT * FROM pg_stats
SELECT * FROM "pg_class"
SELECT * FROM PG_CATALOG.PG_CLASS
SELECT * FROM information_schema.tables
SELECT * FROM INFORMATION_SCHEMA.columns
SELECT * FROM pg_toast.pg_toast_1
SELECT * FROM external.public.orders
SELECT 1 FROM orders WHERE EXISTS (SELECT 1 FROM pg_shadow)
WITH a AS (SELECT * FROM pg_shadow) SELECT * FROM a
SELECT 'orders'::regclass
SELECT 1::oid::regproc
SELECT CAST('pg_sleep' AS regproc)
SELECT '<a/>'::xml
SELECT 'x'::my_type
SELECT 'x'::my_schema.my_type
SELECT xmlparse(document '<a/>')
SELECT xpath('/a', '<a/>')
SELECT 1 OPERATOR(pg_catalog.+) 2
SELECT (orders).id FROM orders
SELECT * INTO gone FROM orders
SELECT 1 INTO TEMP gone
SELECT 1 INTO UNLOGGED gone
SELECT * FROM orders FOR UPDATE
SELECT * FROM orders FOR SHARE
SELECT * FROM orders FOR NO KEY UPDATE
SELECT * FROM orders FOR KEY SHARE
SELECT * FROM orders FOR UPDATE SKIP LOCKED
SELECT * FROM (SELECT * FROM orders FOR UPDATE) AS x
SELECT 1 UNION (SELECT id FROM orders FOR UPDATE)
WITH a AS (SELECT * FROM orders FOR UPDATE) SELECT * FROM a
COPY orders TO '/tmp/x'
COPY (SELECT 1) TO '/tmp/x'
COPY (SELECT 1) TO PROGRAM 'id'
COPY orders FROM '/tmp/x'
DO $$ BEGIN DELETE FROM orders; END $$
LISTEN a
NOTIFY a
UNLISTEN *
LOCK TABLE orders
CLUSTER orders
CHECKPOINT
LOAD 'x'
DISCARD ALL
SET statement_timeout = 0
SET LOCAL statement_timeout = 0
SET SESSION AUTHORIZATION postgres
RESET ROLE
SHOW data_directory
REASSIGN OWNED BY a TO b
SECURITY LABEL ON TABLE orders IS 'x'
COMMENT ON TABLE orders IS 'x'
IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c
CREATE EXTENSION dblink
CREATE FUNCTION f() RETURNS INTEGER LANGUAGE sql AS 'SELECT 1'
CREATE ROLE r SUPERUSER
ALTER ROLE r SUPERUSER
ALTER SYSTEM SET a = 1
REFRESH MATERIALIZED VIEW v
SELECT U&'\\0061'
SELECT U&"\\0061" FROM orders
SELECT u&'\\0061'
""".strip().splitlines()

HOSTILE_SQLITE = """
ATTACH 'x.db' AS x
ATTACH DATABASE ':memory:' AS x
DETACH x
VACUUM INTO '/tmp/copy.db'
PRAGMA query_only = OFF
PRAGMA writable_schema = ON
PRAGMA journal_mode
SELECT * FROM pragma_table_info('orders')
SELECT * FROM pragma_database_list
SELECT * FROM sqlite_master
SELECT * FROM sqlite_schema
SELECT * FROM SQLITE_MASTER
SELECT * FROM "sqlite_master"
SELECT * FROM main.sqlite_master
SELECT * FROM temp.sqlite_master
SELECT * FROM sqlite_temp_master
SELECT * FROM sqlite_sequence
SELECT * FROM dbstat
SELECT * FROM sqlite_dbpage
SELECT load_extension('x')
SELECT readfile('/etc/passwd')
SELECT writefile('/tmp/x', 'y')
SELECT edit('x')
SELECT randomblob(2000000000)
SELECT zeroblob(2000000000)
SELECT last_insert_rowid()
SELECT total_changes()
SELECT sqlite_version()
SELECT sqlite_compileoption_get(1)
SELECT fts3_tokenizer('x')
SELECT optimize(orders) FROM orders
SELECT raise(ABORT, 'x')
SELECT note REGEXP '(a+)+$' FROM orders
SELECT note MATCH 'x' FROM orders
INSERT OR REPLACE INTO orders (id) VALUES (1)
REPLACE INTO orders (id) VALUES (1)
CREATE VIRTUAL TABLE t USING fts5(a)
ALTER TABLE orders DROP COLUMN note
BEGIN IMMEDIATE
BEGIN EXCLUSIVE
END
""".strip().splitlines()

PLAIN = """
SELECT 1
SELECT 1;
select 1 -- a comment
SELECT /* why */ 1
SELECT NULL AS missing
SELECT 'it''s' AS quoted, 'a:b' AS colon, ':name' AS not_a_parameter
SELECT '12:30' AS clock, 'a :b' AS spaced, '50%' AS share, 'x/*!y' AS inside
SELECT * FROM orders
SELECT * FROM orders ORDER BY id
SELECT id, amount FROM orders WHERE status = 'open'
SELECT id AS "order", amount AS "how much" FROM orders
SELECT DISTINCT status FROM orders
SELECT o.id, s.name FROM orders o JOIN sites s ON s.id = o.site_id
SELECT o.id, s.name FROM orders AS o INNER JOIN sites AS s ON s.id = o.site_id
SELECT s.name, o.id FROM sites s LEFT JOIN orders o ON o.site_id = s.id
SELECT a.id, b.id FROM sites a CROSS JOIN sites b
SELECT a.id FROM sites a, orders b WHERE a.id = b.site_id
SELECT id FROM orders JOIN (SELECT id AS site_id FROM sites) s USING (site_id)
SELECT count(*) FROM orders
SELECT count(*), sum(amount), avg(amount), min(amount), max(amount) FROM orders
SELECT count(DISTINCT status) FROM orders
SELECT status, count(*) AS n FROM orders GROUP BY status
SELECT status, count(*) AS n FROM orders GROUP BY status HAVING count(*) > 1
SELECT status, count(*) AS n FROM orders GROUP BY 1 ORDER BY n DESC, 1
SELECT status, sum(amount) AS total FROM orders GROUP BY status ORDER BY total DESC LIMIT 3
SELECT id FROM orders LIMIT 2
SELECT id FROM orders ORDER BY id LIMIT 2 OFFSET 1
SELECT id FROM orders WHERE id IN (1, 2, 3)
SELECT id FROM orders WHERE id NOT IN (1, 2)
SELECT id FROM orders WHERE site_id IN (SELECT id FROM sites WHERE region = 'south')
SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM sites WHERE sites.id = orders.site_id)
SELECT id FROM orders WHERE NOT EXISTS (SELECT 1 FROM sites WHERE sites.id = 99)
SELECT id FROM orders WHERE amount BETWEEN 1 AND 50
SELECT id FROM orders WHERE note IS NULL
SELECT id FROM orders WHERE note IS NOT NULL AND note <> ''
SELECT id FROM orders WHERE status LIKE 'o%'
SELECT id FROM orders WHERE status NOT LIKE '%x%'
SELECT id FROM orders WHERE note LIKE '%!%%' ESCAPE '!'
SELECT id FROM orders WHERE (status = 'open' OR status = 'lost') AND NOT amount = 0
SELECT id, CASE WHEN amount > 50 THEN 'big' WHEN amount > 0 THEN 'small' END FROM orders
SELECT id, CASE status WHEN 'open' THEN 1 ELSE 0 END AS is_open FROM orders
SELECT coalesce(note, '-') FROM orders
SELECT nullif(amount, 0) FROM orders
SELECT upper(status), lower(status), length(status) FROM orders
SELECT trim(status), ltrim(status), rtrim(status), replace(status, 'o', '0') FROM orders
SELECT substr(status, 1, 2) FROM orders
SELECT status || ':' || id FROM orders
SELECT abs(amount), round(amount, 1) FROM orders
SELECT amount * 2 + 1 - 3, amount / 4, id % 2, -amount FROM orders
SELECT CAST(amount AS INTEGER), CAST(id AS TEXT) FROM orders
SELECT id FROM orders UNION SELECT id FROM sites
SELECT id FROM orders UNION ALL SELECT id FROM sites ORDER BY 1
SELECT id FROM orders INTERSECT SELECT id FROM sites
SELECT id FROM orders EXCEPT SELECT id FROM sites
VALUES (1, 'a'), (2, 'b')
SELECT * FROM (VALUES (1), (2)) AS v
WITH open AS (SELECT * FROM orders WHERE status = 'open') SELECT count(*) FROM open
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT x, y FROM a, b
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT x FROM n
SELECT id, row_number() OVER (ORDER BY amount) FROM orders
SELECT id, rank() OVER (PARTITION BY status ORDER BY amount DESC) FROM orders
SELECT id, dense_rank() OVER (ORDER BY status), ntile(2) OVER (ORDER BY id) FROM orders
SELECT id, lag(amount) OVER (ORDER BY id), lead(amount) OVER (ORDER BY id) FROM orders
SELECT id, first_value(id) OVER (ORDER BY id), last_value(id) OVER (ORDER BY id) FROM orders
SELECT id, sum(amount) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM orders
SELECT id, avg(amount) OVER w FROM orders WINDOW w AS (PARTITION BY status)
SELECT count(*) FILTER (WHERE status = 'open') AS open FROM orders
SELECT (SELECT max(amount) FROM orders) AS top, name FROM sites
SELECT * FROM (SELECT id, amount FROM orders WHERE amount > 1) AS big WHERE id < 3
SELECT current_date, current_timestamp
SELECT id FROM orders WHERE (id, site_id) IN (SELECT id, id FROM sites)
SELECT max(length(coalesce(note, ''))) FROM orders
SELECT s.region, count(o.id) FROM sites s LEFT JOIN orders o ON o.site_id = s.id GROUP BY s.region
SELECT name FROM sites ORDER BY region NULLS LAST, name
SELECT placed_on, sum(amount) FROM orders GROUP BY placed_on ORDER BY placed_on
SELECT id FROM "orders" WHERE "status" = 'open'
SELECT id delete_me, status AS "drop table" FROM orders
SELECT note AS "update" FROM orders WHERE note = 'DELETE FROM orders; --'
SELECT 1 AS a, 2 AS b UNION ALL SELECT 3, 4
SELECT sum(CASE WHEN status = 'open' THEN amount ELSE 0 END) AS open_amount FROM orders
""".strip().splitlines()

PLAIN_POSTGRESQL = """
TABLE orders
SELECT id FROM public.orders
(SELECT 1 AS a) UNION ALL (SELECT 3)
SELECT DISTINCT ON (status) status, id FROM orders ORDER BY status, id
SELECT amount::integer, id::text FROM orders
SELECT placed_on::timestamptz AT TIME ZONE 'Asia/Seoul' FROM orders
SELECT date_trunc('month', placed_on), count(*) FROM orders GROUP BY 1
SELECT extract(year FROM placed_on), date_part('month', placed_on) FROM orders
SELECT to_char(placed_on, 'YYYY-MM'), to_char(amount, 'FM999.00') FROM orders
SELECT placed_on + 1, placed_on - interval '1 day', age(placed_on) FROM orders
SELECT now(), current_timestamp - interval '2 hours'
SELECT generate_series(1, 3)
SELECT * FROM generate_series(1, 3) AS g (n)
SELECT * FROM generate_series(1, 3) WITH ORDINALITY AS g (n, i)
SELECT string_agg(status, ', ' ORDER BY status) FROM orders
SELECT array_agg(id ORDER BY id) FROM orders
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM orders
SELECT mode() WITHIN GROUP (ORDER BY status) FROM orders
SELECT stddev(amount), variance(amount), bool_and(amount >= 0) FROM orders
SELECT status ILIKE 'O%', note ~ '^a', note ~* 'A', note !~ 'z' FROM orders
SELECT status SIMILAR TO '(open|lost)' FROM orders
SELECT id FROM orders WHERE id = ANY(ARRAY[1, 2])
SELECT unnest(ARRAY[1, 2, 3])
SELECT s.name, o.* FROM sites s, LATERAL (SELECT * FROM orders WHERE site_id = s.id LIMIT 1) o
SELECT s.name FROM sites s LEFT JOIN LATERAL (SELECT 1 AS x) q ON TRUE
SELECT status, region, count(*) FROM orders JOIN sites ON sites.id = site_id GROUP BY ROLLUP (status, region)
SELECT status, count(*) FROM orders GROUP BY GROUPING SETS ((status), ())
SELECT json_build_object('id', id, 'status', status) FROM orders
SELECT jsonb_agg(status) FROM orders
SELECT '{"a": {"b": 1}}'::jsonb -> 'a' ->> 'b'
SELECT * FROM jsonb_array_elements_text('["x", "y"]'::jsonb)
SELECT row_to_json(o) FROM orders o
SELECT split_part(note, ':', 1), left(note, 1), position(':' IN note) FROM orders
SELECT concat(status, '-', id), concat_ws('/', status, id), format('%s', id) FROM orders
SELECT regexp_replace(note, 'a', 'b'), lpad(status, 8, '.'), md5(status) FROM orders
SELECT greatest(amount, 1), least(amount, 1), ceil(amount), floor(amount) FROM orders
SELECT amount IS DISTINCT FROM 5, (amount > 1) IS TRUE FROM orders
SELECT id FROM orders ORDER BY id FETCH FIRST 2 ROWS ONLY
SELECT $$it's$$ AS dollar
SELECT E'a\\tb' AS tabbed
SELECT gen_random_uuid(), random()
WITH m AS MATERIALIZED (SELECT * FROM orders) SELECT count(*) FROM m
SELECT count(*) FROM orders NATURAL JOIN (SELECT 1 AS id) one
SELECT extract(epoch FROM now()), to_timestamp(0), make_date(2026, 1, 2)
SELECT width_bucket(amount, 0, 100, 4), trunc(amount, 1), power(2, 3), sqrt(4) FROM orders
SELECT overlay('abc' placing 'x' from 2), trim(both 'x' from 'xax'), substring('abc' from 2 for 1)
SELECT array_length(ARRAY[1, 2], 1), array_to_string(ARRAY[1, 2], ','), ARRAY(SELECT id FROM sites)
SELECT count(*) FROM orders TABLESAMPLE BERNOULLI (100)
""".strip().splitlines()

PLAIN_SQLITE = """
SELECT id FROM main.orders
SELECT ifnull(note, '-'), iif(amount > 1, 'a', 'b') FROM orders
SELECT date('now'), datetime('now', 'localtime'), strftime('%Y-%m', placed_on) FROM orders
SELECT julianday(placed_on) - julianday('2026-01-01'), unixepoch(placed_on) FROM orders
SELECT date(placed_on, 'start of month'), count(*) FROM orders GROUP BY 1
SELECT group_concat(status, ', '), total(amount) FROM orders
SELECT printf('%05d', id), instr(status, 'p'), hex(status), typeof(amount) FROM orders
SELECT max(id, 2), min(id, 2) FROM orders
SELECT id FROM orders WHERE status GLOB 'o*'
SELECT json_extract('{"a": {"b": 1}}', '$.a.b')
SELECT '{"a": 1}' -> '$.a', '{"a": 1}' ->> '$.a'
SELECT value FROM json_each('[1, 2, 3]')
SELECT key, value FROM json_tree('{"a": [1]}')
SELECT json_group_array(id), json_object('a', 1) FROM orders
SELECT id FROM orders WHERE note IS NOT 'a:b'
SELECT `id`, [status] FROM orders
SELECT id & 1, id | 2, id << 1, ~id FROM orders
SELECT x'00ff' AS bytes
SELECT rowid, id FROM orders
SELECT percent_rank() OVER (ORDER BY id), cume_dist() OVER (ORDER BY id) FROM orders
WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT x FROM n
SELECT id FROM orders WHERE id == 1
SELECT random(), abs(random()) % 10 BETWEEN 0 AND 9
""".strip().splitlines()

DIALECTS = ("postgresql", "sqlite")


def hostile(dialect: str) -> list[str]:
    """Return every statement that `dialect` must refuse."""
    own = HOSTILE_POSTGRESQL if dialect == "postgresql" else HOSTILE_SQLITE
    return [*HOSTILE, *own]


def plain(dialect: str) -> list[str]:
    """Return every read that `dialect` must accept, and its engine must run."""
    own = PLAIN_POSTGRESQL if dialect == "postgresql" else PLAIN_SQLITE
    return [*PLAIN, *own]
