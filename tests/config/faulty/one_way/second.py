"""Cannot be taken back: the Python has no reverse."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def upper(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute("UPDATE faulty_thing SET word = upper(word)")


class Migration(migrations.Migration):
    dependencies = [("faulty", "first")]
    operations = [migrations.RunPython(upper)]
