"""Going back forgets the index."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("faulty", "first")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX IF NOT EXISTS faulty_word ON faulty_thing (word)",
            migrations.RunSQL.noop,
        )
    ]
