"""A secret address of a calendar says what it shows."""

from django.db import migrations, models

TOPIC = models.CharField(
    choices=[("on-call", "On call"), ("changes", "Change calendar")], default="on-call", editable=False, max_length=20
)


class Migration(migrations.Migration):
    dependencies = [("directory", "0005_contact_sheet_deliveries")]

    operations = [
        migrations.AddField("calendarfeed", "topic", TOPIC),
        migrations.AddField("historicalcalendarfeed", "topic", TOPIC),
    ]
