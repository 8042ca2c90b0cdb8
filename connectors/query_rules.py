"""What each rule of the judge forbids and why, in the active language.

Staff read it on a page of the admin, and others in ``docs/query-rules.md``, which is
made from it. The examples are tried by the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class RuleText:
    """The page of one rule.

    Attributes:
        forbids: What may not be in a saved query.
        why: What could happen otherwise.
        refused: An example that breaks the rule, in `dialect`; a text with ``\\u``
            escapes where the character itself cannot be shown.
        fine: What to write instead.
    """

    forbids: Promise
    why: Promise
    refused: str
    fine: str
    dialect: str = "postgresql"


RULE_TEXTS: dict[str, RuleText] = {
    "dialect": RuleText(
        _("A query for a database of a kind that this portal cannot read."),
        _("What cannot be read cannot be judged, and is never sent."),
        "SELECT 1 FROM dual",
        "SELECT 1",
        dialect="oracle",
    ),
    "length": RuleText(
        _("A query that is too long, in bytes or in words and signs."),
        _("Judging it would take longer than a reader waits."),
        "SELECT a" + ", a" * 1_600,
        "SELECT a, b, c FROM orders",
    ),
    "characters": RuleText(
        _(
            "Characters that no query needs: those no database reads, and those that "
            "turn the direction in which a text is shown."
        ),
        _(
            "A reviewer would see another text than the database reads. Give such a "
            "value as a parameter."
        ),
        "SELECT 'a\u202eb'",
        "SELECT 'ab'",
    ),
    "hidden-code": RuleText(
        _("Comments that a database runs, hints in comments, and U& escapes."),
        _("One program reads a comment where another reads code that runs."),
        "SELECT /*!50000 sleep(10), */ 1",
        "SELECT 1 -- a plain comment",
        dialect="mysql",
    ),
    "depth": RuleText(
        _("Parentheses, brackets or expressions nested too deeply in each other."),
        _("Nobody can review it, and reading it could exhaust the portal's memory."),
        "SELECT " + "(" * 40 + "1" + ")" * 40,
        "WITH step AS (SELECT 1 AS a) SELECT a FROM step",
    ),
    "empty": RuleText(
        _("A text without a statement, or a SELECT without columns."),
        _("There is nothing to run; something was left out."),
        "-- SELECT * FROM orders",
        "SELECT * FROM orders",
    ),
    "one-statement": RuleText(
        _("More than one statement, parted by a semicolon."),
        _("The second one could end the read-only transaction, and then change data."),
        "SELECT 1; DROP TABLE orders",
        "SELECT 1;",
    ),
    "read-only": RuleText(
        _("A statement that does not begin with SELECT, WITH, VALUES or TABLE."),
        _(
            "It changes data, rights or the session, or runs something else; even "
            "EXPLAIN can run what it explains."
        ),
        "DELETE FROM orders",
        "SELECT * FROM orders",
    ),
    "syntax": RuleText(
        _("A text that cannot be read whole as SQL of this kind of database."),
        _(
            "What is not understood is not let through. Some rare forms of SQL are "
            "among it; write them another way, or as a view in the database."
        ),
        "SELECT * FROM orders WHERE",
        "SELECT * FROM orders WHERE id = 1",
    ),
    "write-inside": RuleText(
        _("A statement that changes data inside one that reads."),
        _("PostgreSQL runs a DELETE inside WITH, although the whole begins as a read."),
        "WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone",
        "WITH kept AS (SELECT * FROM orders) SELECT * FROM kept",
    ),
    "into": RuleText(
        _("INTO, which writes a result to a new table, a file or a variable."),
        _("It makes a table, or leaves data in a file on the database's machine."),
        "SELECT * INTO copy FROM orders",
        "SELECT * FROM orders",
    ),
    "lock": RuleText(
        _("FOR UPDATE, FOR SHARE and other locks of rows."),
        _("A page that is only read would make the writers of the database wait."),
        "SELECT * FROM orders FOR UPDATE",
        "SELECT * FROM orders",
    ),
    "session": RuleText(
        _("Variables of the session (@name, @@name, :=) and switches of SELECT."),
        _(
            "Connections are shared: one query would read or change what another "
            "tenant's query left there."
        ),
        "SELECT @rank := @rank + 1",
        "SELECT row_number() OVER (ORDER BY id) FROM orders",
        dialect="mysql",
    ),
    "positional": RuleText(
        _("Parameters without a name: ?, $1, %s and the like."),
        _("Only a named parameter can be told from text, and bound as a value."),
        "SELECT * FROM orders WHERE id = $1",
        "SELECT * FROM orders WHERE id = :id",
    ),
    "parameter-name": RuleText(
        _("A name of a parameter with other than Latin letters, digits or _."),
        _("The drivers of the databases bind such names differently."),
        "SELECT * FROM orders WHERE id = :번호",
        "SELECT * FROM orders WHERE id = :number",
    ),
    "part": RuleText(
        _("A part of SQL that is not on the list of parts that only read."),
        _(
            "Everything that is allowed is listed, so that what nobody thought of is "
            "refused, such as operators of one's own or a table that IN alone names."
        ),
        "SELECT (orders).id FROM orders",
        "SELECT orders.id FROM orders",
    ),
    "function": RuleText(
        _("A function that is not on the list of functions that only compute."),
        _(
            "Functions can read files, sleep, lock, open connections and run a text "
            "as SQL. One of your own can do anything."
        ),
        "SELECT pg_sleep(10)",
        "SELECT now()",
    ),
    "data-type": RuleText(
        _("A cast to a type that is not plain: names of catalogs, XML, your own."),
        _("Casting a text to such a type asks the catalogs or runs code of the type."),
        "SELECT 'orders'::regclass",
        "SELECT 'orders'::text",
    ),
    "catalog": RuleText(
        _("Tables that belong to the database itself, and other databases."),
        _(
            "They hold what others run, password hashes, and the most common values "
            "of every tenant's columns."
        ),
        "SELECT * FROM pg_stats",
        "SELECT * FROM orders",
    ),
    "unstable": RuleText(
        _("A query that reads differently when the portal writes it out again."),
        _("What runs is the text that was judged; both must be the same query."),
        "SELECT lag(a) IGNORE NULLS OVER (ORDER BY b) FROM orders",
        "SELECT lag(a) OVER (ORDER BY b) FROM orders",
    ),
    "tenant": RuleText(
        _("A query on tables of several tenants while no tenant is known."),
        _("Without a tenant there is no telling whose rows may be read."),
        "SELECT * FROM orders",
        "SELECT * FROM orders",
    ),
    "table": RuleText(
        _("A table or a view that is not registered for the data source."),
        _(
            "Only for a registered table is it known which column holds the tenant, "
            "or that all tenants share it."
        ),
        "SELECT * FROM not_registered",
        "SELECT * FROM orders",
    ),
    "scope": RuleText(
        _("A way of naming a table that cannot be limited to one tenant."),
        _("What cannot be limited for certain is not run."),
        "SELECT public.orders.id FROM public.orders",
        "SELECT orders.id FROM public.orders",
    ),
}
