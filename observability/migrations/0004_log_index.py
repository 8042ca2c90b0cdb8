"""Index the text of log lines: pairs in FTS5 on SQLite, pg_trgm on PostgreSQL.

Where ``pg_trgm`` may not be created, a warning says who can; searches then scan, and
answer the same. Reversing takes the index away, and the extension with it unless
something else stands on it.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from observability.log_index import create_index, drop_index


def create(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    create_index(schema_editor.connection)


def drop(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    drop_index(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("observability", "0003_traces_and_logs")]

    operations = [migrations.RunPython(create, drop)]
