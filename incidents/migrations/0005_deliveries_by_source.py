from django.db import migrations, models

from portal.lib.migrating import AddIndexBesideWrites


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('incidents', '0004_what_vouches_for_sources'),
    ]

    operations = [
        AddIndexBesideWrites(
            model_name='intakedelivery',
            index=models.Index(fields=['token', '-id'], name='delivery_of_source'),
        ),
        AddIndexBesideWrites(
            model_name='intakedelivery',
            index=models.Index(
                condition=models.Q(('result', 'accepted'), _negated=True),
                fields=['token', '-id'],
                name='delivery_refused',
            ),
        ),
    ]
