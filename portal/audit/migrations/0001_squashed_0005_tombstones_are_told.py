import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models

from portal.lib.migrating import CreateTogether

# What a row is found by: its day, the fields that it changed, the words of its reason, and the name and reference of
# its object whenever they were given: on everything but plain changes, and on changes of the name itself. What is
# longer than the database can hold as one word, or as one reason, is left out rather than refused. The cost keeps
# the planner from computing this for many rows, and from doing so in parallel.
FUNCTION = """
CREATE OR REPLACE FUNCTION audit_trail_terms(
  at timestamptz, action text, model text, fields text, reason text, name text, reference text
) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE COST 200 AS $terms$
DECLARE
  terms tsvector := array_to_tsvector(ARRAY['d:' || ((at AT TIME ZONE 'UTC')::date - DATE '2000-01-01')]);
  words text := left(reason, 4000);
BEGIN
  IF action <> 'changed' THEN
    words := words || ' ' || name || ' ' || reference;
  ELSIF fields <> '' THEN
    terms := terms || array_to_tsvector(
      string_to_array('f:' || model || '.' || replace(btrim(fields), ' ', ' f:' || model || '.'), ' '));
    IF fields ~ ' (name|title|username|first_name|last_name|slug) ' THEN
      words := words || ' ' || name || ' ' || reference;
    END IF;
  END IF;
  IF words <> '' THEN
    terms := terms || to_tsvector('pg_catalog.simple', translate(words, '-_/.:,;@+', '         '));
  END IF;
  RETURN terms;
END $terms$
"""
INDEX = """
CREATE INDEX trail_by_terms ON audit_trail
USING gin (audit_trail_terms(at, action, model, fields, reason, name, reference)) WITH (fastupdate = off)
"""


def add(apps, schema_editor):
    """Make the function and the index; the table was just made, so that nobody waits."""
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(FUNCTION)
    schema_editor.execute(INDEX)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("DROP INDEX IF EXISTS trail_by_terms")
    schema_editor.execute("DROP FUNCTION IF EXISTS audit_trail_terms(timestamptz, text, text, text, text, text, text)")


class Migration(migrations.Migration):

    replaces = [('audit', '0001_trail'), ('audit', '0002_reconciliation'), ('audit', '0003_seals'), ('audit', '0004_trail_terms'), ('audit', '0005_tombstones_are_told')]

    initial = True

    dependencies = [
    ]

    operations = [
        CreateTogether(
            models=[
                migrations.CreateModel(
                    name='TrailRow',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(verbose_name='when')),
                        ('actor_name', models.CharField(max_length=200, verbose_name='who')),
                        ('actor_id', models.BigIntegerField(blank=True, null=True, verbose_name='account')),
                        ('contact_id', models.BigIntegerField(blank=True, null=True)),
                        ('origin', models.CharField(blank=True, max_length=20)),
                        ('address', models.CharField(blank=True, max_length=45)),
                        ('gesture', models.UUIDField(null=True)),
                        ('action', models.CharField(choices=[('created', 'Created'), ('changed', 'Changed'), ('deleted', 'Deleted'), ('event', 'Did'), ('signed-in', 'Signed in'), ('sign-in-refused', 'Sign-in refused'), ('signed-out', 'Signed out'), ('read', 'Read'), ('exported', 'Exported'), ('decided', 'Decided'), ('tombstoned', 'Removed words')], max_length=20)),
                        ('privileged', models.BooleanField(default=False)),
                        ('model', models.CharField(blank=True, max_length=80, verbose_name='kind of object')),
                        ('object_id', models.CharField(blank=True, max_length=64, verbose_name='object')),
                        ('reference', models.CharField(blank=True, max_length=40)),
                        ('name', models.CharField(blank=True, max_length=200)),
                        ('root_model', models.CharField(blank=True, max_length=80, verbose_name='kind of record')),
                        ('root_id', models.CharField(blank=True, max_length=64, verbose_name='record')),
                        ('event', models.CharField(blank=True, max_length=200)),
                        ('reason', models.TextField(blank=True)),
                        ('fields', models.TextField(blank=True, verbose_name='changed fields')),
                        ('changes', models.TextField(default='[]', verbose_name='differences')),
                        ('history_id', models.BigIntegerField(blank=True, null=True)),
                    ],
                    options={
                        'verbose_name': 'trail row',
                        'verbose_name_plural': 'audit trail',
                        'db_table': 'audit_trail',
                        'ordering': ['-at', '-id'],
                        'default_permissions': ('view',),
                        'base_manager_name': 'objects',
                        'indexes': [models.Index(fields=['at', 'id'], name='trail_by_time'), models.Index(condition=models.Q(('actor_id__isnull', False)), fields=['actor_id', 'at', 'id'], name='trail_by_person'), models.Index(condition=models.Q(('actor_id__isnull', True)), fields=['actor_name', 'at', 'id'], name='trail_by_part'), models.Index(fields=['model', 'at', 'id'], name='trail_by_model'), models.Index(fields=['model', 'object_id', 'id'], name='trail_by_object'), models.Index(fields=['root_model', 'root_id', 'at', 'id'], name='trail_by_record'), models.Index(fields=['action', 'at', 'id'], name='trail_by_action'), models.Index(fields=['origin', 'at', 'id'], name='trail_by_origin'), models.Index(condition=models.Q(('privileged', True)), fields=['at', 'id'], name='trail_privileged'), models.Index(fields=['gesture'], name='trail_by_gesture')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('history_id__isnull', False)), fields=('model', 'history_id'), name='trail_tells_each_row_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Reconciliation',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('night', models.DateField(blank=True, null=True, unique=True)),
                        ('started_at', models.DateTimeField()),
                        ('started_by', models.CharField(max_length=200)),
                        ('finished_at', models.DateTimeField(blank=True, null=True)),
                        ('part', models.CharField(blank=True, max_length=120)),
                        ('after', models.BigIntegerField(blank=True, null=True)),
                        ('rows', models.BigIntegerField(default=0)),
                        ('found', models.PositiveIntegerField(default=0)),
                        ('findings', models.JSONField(blank=True, default=list)),
                        ('lease_token', models.CharField(blank=True, max_length=32)),
                        ('lease_until', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-started_at', '-id'],
                        'default_permissions': ('view',),
                        'indexes': [models.Index(fields=['-finished_at'], name='reconciliation_newest')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('started_by', ''), _negated=True), name='reconciliation_started_by_whom')],
                    },
                ),
                migrations.CreateModel(
                    name='Shape',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('source', models.CharField(max_length=80)),
                        ('digest', models.CharField(max_length=64, unique=True)),
                        ('definition', models.TextField()),
                    ],
                    options={
                        'default_permissions': ('view',),
                        'base_manager_name': 'objects',
                    },
                ),
                migrations.CreateModel(
                    name='Seal',
                    fields=[
                        ('position', models.BigIntegerField(primary_key=True, serialize=False)),
                        ('source', models.CharField(max_length=80)),
                        ('row_id', models.BigIntegerField()),
                        ('history_id', models.BigIntegerField(null=True)),
                        ('shape', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.shape')),
                        ('history_shape', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.shape')),
                        ('salt', models.BinaryField(null=True)),
                        ('payload_digest', models.BinaryField()),
                        ('history_digest', models.BinaryField(null=True)),
                        ('link', models.BinaryField()),
                        ('digest', models.BinaryField()),
                    ],
                    options={
                        'ordering': ['position'],
                        'default_permissions': ('view',),
                        'base_manager_name': 'objects',
                        'constraints': [models.UniqueConstraint(fields=('source', 'row_id'), name='sealed_once'), models.CheckConstraint(condition=models.Q(('position__gte', 1)), name='seals_count_from_one')],
                    },
                ),
                migrations.CreateModel(
                    name='SealBatch',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('first', models.BigIntegerField()),
                        ('last', models.BigIntegerField(db_index=True)),
                        ('head', models.BinaryField()),
                        ('sealed_at', models.DateTimeField()),
                        ('sealed_by', models.CharField(max_length=200)),
                        ('marks', models.JSONField(default=dict)),
                    ],
                    options={
                        'default_permissions': ('view',),
                        'verbose_name_plural': 'seal batches',
                        'base_manager_name': 'objects',
                        'constraints': [models.CheckConstraint(condition=models.Q(('last__gte', django.db.models.expressions.CombinedExpression(models.F('first'), '-', models.Value(1)))), name='a_batch_is_in_order'), models.CheckConstraint(condition=models.Q(('sealed_by', ''), _negated=True), name='a_batch_has_its_sealer')],
                    },
                ),
                migrations.CreateModel(
                    name='SigningKey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key_id', models.CharField(max_length=16, unique=True, verbose_name='key')),
                        ('public_key', models.CharField(max_length=64)),
                        ('first_used_at', models.DateTimeField()),
                    ],
                    options={
                        'default_permissions': ('view',),
                        'base_manager_name': 'objects',
                    },
                ),
                migrations.CreateModel(
                    name='Anchor',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('position', models.BigIntegerField(db_index=True)),
                        ('head', models.CharField(max_length=64)),
                        ('previous', models.BigIntegerField(null=True)),
                        ('portal', models.CharField(max_length=200)),
                        ('signed_at', models.DateTimeField()),
                        ('key_id', models.CharField(max_length=16, verbose_name='key')),
                        ('public_key', models.CharField(max_length=64)),
                        ('signature', models.CharField(max_length=128)),
                    ],
                    options={
                        'default_permissions': ('view',),
                        'base_manager_name': 'objects',
                    },
                ),
                migrations.CreateModel(
                    name='AnchorDelivery',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('anchor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='audit.anchor')),
                        ('way', models.CharField(choices=[('file', 'File'), ('mail', 'E-mail'), ('url', 'Address')], max_length=10)),
                        ('target', models.CharField(max_length=500)),
                        ('attempts', models.PositiveIntegerField(default=0)),
                        ('next_attempt_at', models.DateTimeField()),
                        ('delivered_at', models.DateTimeField(blank=True, null=True)),
                        ('error', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'verbose_name_plural': 'anchor deliveries',
                        'default_permissions': ('view',),
                        'indexes': [models.Index(condition=models.Q(('delivered_at__isnull', True)), fields=['next_attempt_at'], name='anchors_to_deliver'), models.Index(fields=['delivered_at'], name='anchors_delivered')],
                        'constraints': [models.UniqueConstraint(fields=('anchor', 'way', 'target'), name='an_anchor_once_on_each_way')],
                    },
                ),
                migrations.CreateModel(
                    name='Verification',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('night', models.DateField(blank=True, null=True, unique=True)),
                        ('started_at', models.DateTimeField()),
                        ('started_by', models.CharField(max_length=200)),
                        ('finished_at', models.DateTimeField(blank=True, null=True)),
                        ('position', models.BigIntegerField(default=0)),
                        ('rows', models.BigIntegerField(default=0)),
                        ('seconds', models.PositiveIntegerField(default=0)),
                        ('found', models.PositiveIntegerField(default=0)),
                        ('report', models.JSONField(blank=True, default=dict)),
                    ],
                    options={
                        'ordering': ['-started_at', '-id'],
                        'default_permissions': ('view',),
                        'indexes': [models.Index(fields=['-finished_at'], name='verification_newest')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('started_by', ''), _negated=True), name='verification_started_by_whom')],
                    },
                ),
                migrations.CreateModel(
                    name='HistoricalLegalHold',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('actor_name', models.CharField(max_length=200, verbose_name='actor')),
                        ('actor_contact_id', models.BigIntegerField(blank=True, null=True)),
                        ('origin', models.CharField(blank=True, max_length=20)),
                        ('remote_address', models.CharField(blank=True, max_length=45)),
                        ('gesture', models.UUIDField(null=True)),
                        ('title', models.CharField(help_text='What it is for, such as the name of a case.', max_length=200)),
                        ('model', models.CharField(blank=True, max_length=80, verbose_name='kind of object')),
                        ('object_id', models.CharField(blank=True, max_length=64, verbose_name='object')),
                        ('placed_at', models.DateTimeField(editable=False)),
                        ('placed_by', models.CharField(editable=False, max_length=200)),
                        ('lifted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                        ('lifted_by', models.CharField(blank=True, editable=False, max_length=200)),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.TextField(blank=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                    ],
                    options={
                        'verbose_name': 'historical legal hold',
                        'verbose_name_plural': 'historical legal holds',
                        'ordering': ('-history_id',),
                        'get_latest_by': 'history_id',
                        'default_permissions': (),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='LegalHold',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('title', models.CharField(help_text='What it is for, such as the name of a case.', max_length=200)),
                        ('model', models.CharField(blank=True, max_length=80, verbose_name='kind of object')),
                        ('object_id', models.CharField(blank=True, max_length=64, verbose_name='object')),
                        ('placed_at', models.DateTimeField(editable=False)),
                        ('placed_by', models.CharField(editable=False, max_length=200)),
                        ('lifted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                        ('lifted_by', models.CharField(blank=True, editable=False, max_length=200)),
                    ],
                    options={
                        'ordering': ['-placed_at', '-id'],
                        'base_manager_name': 'objects',
                        'constraints': [models.CheckConstraint(condition=models.Q(('placed_by', ''), _negated=True), name='hold_placed_by_somebody'), models.CheckConstraint(condition=models.Q(models.Q(('lifted_at__isnull', True), ('lifted_by', '')), models.Q(('lifted_at__isnull', False), models.Q(('lifted_by', ''), _negated=True)), _connector='OR'), name='hold_lifted_by_somebody'), models.CheckConstraint(condition=models.Q(models.Q(('model', ''), _negated=True), ('object_id', ''), _connector='OR'), name='hold_on_an_object_names_its_kind')],
                    },
                ),
                migrations.CreateModel(
                    name='TombstoneRequest',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('reason', models.TextField()),
                        ('positions', models.JSONField()),
                        ('asked_at', models.DateTimeField()),
                        ('asked_by', models.CharField(max_length=200)),
                        ('asked_by_id', models.BigIntegerField()),
                    ],
                    options={
                        'default_permissions': ('view',),
                        'base_manager_name': 'objects',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('asked_by', ''), _negated=True), models.Q(('reason', ''), _negated=True)), name='tombstone_asked_by_somebody')],
                    },
                ),
                migrations.CreateModel(
                    name='Tombstone',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('request', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='tombstone', to='audit.tombstonerequest')),
                        ('asked_by_id', models.BigIntegerField()),
                        ('confirmed_at', models.DateTimeField()),
                        ('confirmed_by', models.CharField(max_length=200)),
                        ('confirmed_by_id', models.BigIntegerField()),
                    ],
                    options={
                        'default_permissions': ('view',),
                        'base_manager_name': 'objects',
                        'constraints': [models.CheckConstraint(condition=models.Q(('confirmed_by', ''), _negated=True), name='tombstone_confirmed_by_somebody'), models.CheckConstraint(condition=models.Q(('confirmed_by_id', models.F('asked_by_id')), _negated=True), name='tombstone_confirmed_by_somebody_else')],
                    },
                ),
                migrations.CreateModel(
                    name='TombstonedRow',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('tombstone', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='audit.tombstone')),
                        ('seal', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='tombstoned', to='audit.seal')),
                        ('payload_digest', models.BinaryField()),
                        ('history_digest', models.BinaryField(null=True)),
                    ],
                    options={
                        'default_permissions': ('view',),
                        'base_manager_name': 'objects',
                    },
                ),
            ],
        ),
        migrations.RunPython(add, remove),
    ]
