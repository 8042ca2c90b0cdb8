"""Going back empties a column that was there before."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("faulty", "first")]
    operations = [
        migrations.RunSQL(
            "UPDATE faulty_thing SET word = word || '!'",
            "UPDATE faulty_thing SET word = ''",
        )
    ]
