from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_trail_terms")]

    operations = [
        migrations.AlterField(
            model_name="trailrow",
            name="action",
            field=models.CharField(
                choices=[
                    ("created", "Created"),
                    ("changed", "Changed"),
                    ("deleted", "Deleted"),
                    ("event", "Did"),
                    ("signed-in", "Signed in"),
                    ("sign-in-refused", "Sign-in refused"),
                    ("signed-out", "Signed out"),
                    ("read", "Read"),
                    ("exported", "Exported"),
                    ("decided", "Decided"),
                    ("tombstoned", "Removed words"),
                ],
                max_length=20,
            ),
        ),
    ]
