"""What an error number of MySQL or MariaDB means. No value gets through.

Values are written into the statement by the driver, so no message that quotes the
statement is passed on; names of tables, columns and functions are.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import pymysql

from connectors.outcomes import Reason

Fault: TypeAlias = tuple[Reason, str, str]

_TIMEOUT = "1205 1317 1969 3024"
_PERMISSION = "1044 1142 1143 1227 1370"
_READ_ONLY = "1148 1290 1568 1792 1836 3948 4166"
_LOGIN = "1045 1130 1698 1820 1862 3118 4151"
_UNREACHABLE = """
    0 1049 1053 1129 1158 1159 1160 1161 1184 1927 2000 2002 2003 2005 2006 2012 2013
    2014 2026 2045 2055 2059 2061 4031
"""
_OVERLOADED = "1040 1203 1213 1226"
_SPACE = "3 28 1021 1037 1038 1041 1114 1153"
_STATEMENT = """
    1046 1052 1054 1055 1056 1059 1060 1064 1066 1109 1110 1111 1115 1116 1117 1140 1146
    1149 1191 1193 1210 1221 1222 1235 1241 1242 1247 1248 1253 1267 1270 1271 1273 1305
    1318 1327 1356 1426 1427 1582 1583 1584 1630 3572 3579 3591 3593 3636 4002 4003 4004
    4005 4006 4007 4008 4009 4012 4014 4015 4016 4018 4020 4022 4026 4078 4079 4107 4161
"""
_GROUPS = [
    (Reason.TIMEOUT, "timeout", _TIMEOUT),
    (Reason.DENIED, "permission", _PERMISSION),
    (Reason.REFUSED, "read-only", _READ_ONLY),
    (Reason.UPSTREAM, "login", _LOGIN),
    (Reason.UPSTREAM, "unreachable", _UNREACHABLE),
    (Reason.UPSTREAM, "overloaded", _OVERLOADED),
    (Reason.UPSTREAM, "too-big", _SPACE),
    (Reason.UPSTREAM, "statement", _STATEMENT),
]
_FAULTS = {
    int(code): (reason, rule)
    for reason, rule, codes in _GROUPS
    for code in codes.split()
}
_TOO_BIG = re.compile(r"max-session-mem-used")
# Messages that hold names and fixed words only.
_NAMES = [
    (re.compile(r"Unknown column '(?P<name>[^']*)'"), "unknown column '{name}'"),
    (re.compile(r"Table '(?P<name>[^']*)' doesn't exist"), "no table '{name}'"),
    (re.compile(r"Unknown table '(?P<name>[^']*)'"), "no table '{name}'"),
    (re.compile(r"Column '(?P<name>[^']*)' .*ambiguous"), "'{name}' is ambiguous"),
    (re.compile(r"Duplicate column name '(?P<name>[^']*)'"), "'{name}' is there twice"),
    (re.compile(r"Not unique table/alias: '(?P<name>[^']*)'"), "'{name}' twice"),
    (re.compile(r"'(?P<name>[^']*)' isn't in GROUP BY"), "'{name}' is not in GROUP BY"),
    (re.compile(r"FUNCTION (?P<name>\S+) does not exist"), "no function '{name}'"),
    (
        re.compile(r"call to native function '(?P<name>[^']*)'"),
        "another number of arguments of '{name}'",
    ),
    (
        re.compile(r"command denied to user .* for column '(?P<name>[^']*)'"),
        "SELECT of column '{name}'",
    ),
    (
        re.compile(r"command denied to user .* for table (?P<name>\S+)$"),
        "SELECT of table '{name}'",
    ),
    (re.compile(r"to database '(?P<name>[^']*)'"), "database '{name}'"),
    (
        re.compile(r"at least one of\) the (?P<name>[A-Z ,]+) privilege"),
        "the privilege {name}",
    ),
]
_PLAIN = {
    1064: "its syntax is not that of this server",
    1111: "a function of groups stands where there is no group",
    1140: "columns and functions of groups are mixed without GROUP BY",
    1222: "the SELECTs have different numbers of columns",
    1241: "another number of columns is needed",
    1242: "a subquery returns more than one row",
    1248: "a subquery in FROM needs a name",
    1267: "two collations do not go together",
}


def mysql_fault(error: pymysql.MySQLError) -> Fault:
    """Return the reason, the rule of the words, and a detail that holds no value."""
    code = error.args[0] if error.args else None
    text = str(error.args[1]) if len(error.args) > 1 else ""
    if not isinstance(code, int):
        return Reason.UPSTREAM, "other", ""
    if code == 1290 and _TOO_BIG.search(text):
        return Reason.UPSTREAM, "too-big", ""
    # What is left is about values: out of range, no number, no JSON, division by zero.
    reason, rule = _FAULTS.get(code, (Reason.UPSTREAM, "value"))
    if rule not in {"statement", "permission"}:
        return reason, rule, ""
    return reason, rule, _detail(code, text)


def _detail(code: int, text: str) -> str:
    for pattern, words in _NAMES:
        if found := pattern.search(text):
            name = found.group("name").replace("`", "")
            return words.format(name=name[:120])
    return _PLAIN.get(code, f"error {code}")
