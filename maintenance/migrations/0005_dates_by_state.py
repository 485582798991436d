"""An index from which the due list counts."""

from django.db import migrations, models

from portal.lib.migrating import AddIndexBesideWrites


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("maintenance", "0001_squashed_0004_backups_and_restore_tests")]

    operations = [
        AddIndexBesideWrites(
            model_name="occurrence",
            index=models.Index(
                condition=models.Q(("state__in", ("open", "to_sign"))),
                fields=["state", "due_at"],
                name="occurrence_by_state",
            ),
        ),
    ]
