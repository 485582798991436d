import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

from portal.lib.migrating import CreateTogether


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('contenttypes', '0002_remove_content_type_name'),
        ('directory', '0007_maintenance_feeds'),
    ]

    operations = [
        CreateTogether(
            models=[
                migrations.CreateModel(
                    name='HistoricalActionItem',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('actor_name', models.CharField(max_length=200, verbose_name='actor')),
                        ('actor_contact_id', models.BigIntegerField(blank=True, null=True)),
                        ('origin', models.CharField(blank=True, max_length=20)),
                        ('remote_address', models.CharField(blank=True, max_length=45)),
                        ('gesture', models.UUIDField(null=True)),
                        ('reference', models.CharField(editable=False, max_length=16)),
                        ('title', models.CharField(max_length=160)),
                        ('description', models.TextField(blank=True, max_length=10000)),
                        ('kind', models.CharField(choices=[('detective', 'Detective: it is noticed sooner'), ('preventive', 'Preventive: it does not happen again'), ('corrective', 'Corrective: what is wrong is put right')], max_length=10)),
                        ('due_at', models.DateTimeField(verbose_name='due')),
                        ('state', models.CharField(choices=[('open', 'Open'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='open', editable=False, max_length=9)),
                        ('source_id', models.BigIntegerField(blank=True, editable=False, null=True, verbose_name='number of the record')),
                        ('opened_at', models.DateTimeField(editable=False)),
                        ('opened_by', models.CharField(editable=False, max_length=200)),
                        ('done_at', models.DateTimeField(blank=True, editable=False, null=True)),
                        ('done_by', models.CharField(blank=True, editable=False, max_length=200)),
                        ('done_note', models.TextField(blank=True, editable=False, verbose_name='what was done')),
                        ('cancelled_at', models.DateTimeField(blank=True, editable=False, null=True)),
                        ('cancelled_by', models.CharField(blank=True, editable=False, max_length=200)),
                        ('cancelled_because', models.TextField(blank=True, editable=False, verbose_name='why it was cancelled')),
                        ('owner', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='directory.contact')),
                        ('source_type', models.ForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='contenttypes.contenttype', verbose_name='table of the record')),
                        ('asker', models.ForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='directory.contact')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.TextField(blank=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                    ],
                    options={
                        'verbose_name': 'historical action item',
                        'verbose_name_plural': 'historical action items',
                        'ordering': ('-history_id',),
                        'get_latest_by': 'history_id',
                        'default_permissions': (),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='ActionItem',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('reference', models.CharField(editable=False, max_length=16, unique=True)),
                        ('title', models.CharField(max_length=160)),
                        ('description', models.TextField(blank=True, max_length=10000)),
                        ('kind', models.CharField(choices=[('detective', 'Detective: it is noticed sooner'), ('preventive', 'Preventive: it does not happen again'), ('corrective', 'Corrective: what is wrong is put right')], max_length=10)),
                        ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='action_items', to='directory.contact')),
                        ('due_at', models.DateTimeField(verbose_name='due')),
                        ('state', models.CharField(choices=[('open', 'Open'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='open', editable=False, max_length=9)),
                        ('source_type', models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contenttypes.contenttype', verbose_name='table of the record')),
                        ('source_id', models.BigIntegerField(blank=True, editable=False, null=True, verbose_name='number of the record')),
                        ('asker', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='asked_action_items', to='directory.contact')),
                        ('opened_at', models.DateTimeField(editable=False)),
                        ('opened_by', models.CharField(editable=False, max_length=200)),
                        ('done_at', models.DateTimeField(blank=True, editable=False, null=True)),
                        ('done_by', models.CharField(blank=True, editable=False, max_length=200)),
                        ('done_note', models.TextField(blank=True, editable=False, verbose_name='what was done')),
                        ('cancelled_at', models.DateTimeField(blank=True, editable=False, null=True)),
                        ('cancelled_by', models.CharField(blank=True, editable=False, max_length=200)),
                        ('cancelled_because', models.TextField(blank=True, editable=False, verbose_name='why it was cancelled')),
                    ],
                    options={
                        'ordering': ['due_at', 'id'],
                        'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['due_at', 'id'], name='action_due'), models.Index(fields=['owner', 'due_at'], name='action_of_owner'), models.Index(fields=['source_type', 'source_id'], name='action_of_record')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('opened_by', ''), _negated=True), name='action_opened_by_whom_and_when'), models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', True), ('done_by', '')), models.Q(('done_at__isnull', False), models.Q(('done_by', ''), _negated=True)), _connector='OR'), name='action_done_by_whom_and_when'), models.CheckConstraint(condition=models.Q(models.Q(('cancelled_at__isnull', True), ('cancelled_by', '')), models.Q(('cancelled_at__isnull', False), models.Q(('cancelled_by', ''), _negated=True)), _connector='OR'), name='action_cancelled_by_whom_and_when'), models.CheckConstraint(condition=models.Q(models.Q(('source_id__isnull', True), ('source_type__isnull', True)), models.Q(('source_id__isnull', False), ('source_type__isnull', False)), _connector='OR'), name='action_from_a_whole_record'), models.CheckConstraint(condition=models.Q(models.Q(('cancelled_at__isnull', True), ('done_at__isnull', False), ('state', 'done')), models.Q(('cancelled_at__isnull', False), ('done_at__isnull', True), ('state', 'cancelled')), models.Q(('cancelled_at__isnull', True), ('done_at__isnull', True), ('state', 'open')), _connector='OR'), name='action_ends_as_its_state_says'), models.CheckConstraint(condition=models.Q(('done_at__isnull', True), ('done_at__gte', models.F('opened_at')), _connector='OR'), name='action_done_after_it_was_opened'), models.CheckConstraint(condition=models.Q(('cancelled_at__isnull', True), models.Q(('cancelled_because', ''), _negated=True), _connector='OR'), name='action_cancelled_for_a_reason')],
                    },
                ),
            ],
        ),
    ]
