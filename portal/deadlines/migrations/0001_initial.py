import django.db.models.deletion
from django.db import migrations, models

from portal.lib.migrating import CreateTogether


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        CreateTogether(
            models=[
                migrations.CreateModel(
                    name='Deadline',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(max_length=40)),
                        ('subject_type', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contenttypes.contenttype')),
                        ('subject_id', models.BigIntegerField()),
                        ('key', models.CharField(blank=True, max_length=80)),
                        ('generation', models.PositiveIntegerField(default=1)),
                        ('started_at', models.DateTimeField()),
                        ('due_at', models.DateTimeField()),
                        ('state', models.CharField(choices=[('pending', 'Pending'), ('met', 'Met'), ('fired', 'Fired'), ('cancelled', 'Cancelled')], default='pending', max_length=10)),
                        ('settled_at', models.DateTimeField(blank=True, null=True)),
                        ('met_at', models.DateTimeField(blank=True, null=True)),
                        ('lateness', models.FloatField(blank=True, null=True)),
                        ('payload', models.JSONField(blank=True, default=dict)),
                        ('retry_at', models.DateTimeField(blank=True, null=True)),
                        ('attempts', models.PositiveSmallIntegerField(default=0)),
                        ('error', models.TextField(blank=True)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('state', 'pending')), fields=['due_at'], name='deadline_pending_due')],
                        'constraints': [models.UniqueConstraint(fields=('subject_type', 'subject_id', 'kind', 'key', 'generation'), name='one_deadline_per_key'), models.CheckConstraint(condition=models.Q(models.Q(('settled_at__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('settled_at__isnull', False)), _connector='OR'), name='deadline_settled_with_its_moment')],
                    },
                ),
                migrations.CreateModel(
                    name='Sweep',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=40, unique=True)),
                        ('at', models.DateTimeField()),
                    ],
                ),
            ],
        ),
    ]
