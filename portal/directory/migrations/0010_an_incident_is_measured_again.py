"""A record may measure a recovery again at another moment, such as an incident that was opened again."""

from django.db import migrations, models

NAME = "one_proof_per_measurement"


class Migration(migrations.Migration):
    dependencies = [("directory", "0001_squashed_0009_calendars_of_systems")]

    operations = [
        migrations.RemoveConstraint("recoveryproof", NAME),
        migrations.AddConstraint(
            "recoveryproof",
            models.UniqueConstraint(fields=("system", "subject_type", "subject_id", "at"), name=NAME),
        ),
    ]
