"""django-sql-explorer's own check, in a process of its own: ``... <folder>``.

Reads one JSON line a statement, and answers ``[accepted, ms]`` for each.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module

from django.conf import settings
from sqlparse.exceptions import SQLParseError


def main() -> None:
    """Judge what stands on standard input by the package's default words."""
    sys.path.insert(0, sys.argv[1])
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"]
    )
    import django

    django.setup()
    passes_blacklist = import_module("explorer.utils").passes_blacklist

    passes_blacklist("SELECT 1")  # warm
    for line in sys.stdin:
        sql = json.loads(line)
        started = time.perf_counter()
        try:
            accepted = bool(passes_blacklist(sql)[0])
        except (SQLParseError, RecursionError):  # nothing runs
            accepted = False
        spent = (time.perf_counter() - started) * 1_000
        sys.stdout.write(json.dumps([accepted, spent]) + "\n")


if __name__ == "__main__":
    main()
