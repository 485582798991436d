"""A secret address of a calendar may show one system."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

HELP = "Of a topic that has systems: what concerns this one, whoever does it."


class Migration(migrations.Migration):
    dependencies = [("directory", "0008_recovery_is_promised_and_proven")]

    operations = [
        migrations.AddField(
            "calendarfeed",
            "system",
            models.ForeignKey(
                blank=True, help_text=HELP, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+",
                to="directory.system",
            ),
        ),
        migrations.AddField(
            "historicalcalendarfeed",
            "system",
            models.ForeignKey(
                blank=True, db_constraint=False, db_index=False, help_text=HELP, null=True,
                on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="directory.system",
            ),
        ),
        migrations.AddConstraint(
            "calendarfeed",
            models.CheckConstraint(
                condition=Q(team__isnull=True) | Q(system__isnull=True), name="feed_of_one_thing"
            ),
        ),
    ]
