import django.db.models.deletion
from django.db import migrations, models

from portal.lib.migrating import CreateTogether


class Migration(migrations.Migration):

    replaces = [('notify', '0001_initial'), ('notify', '0002_pages_are_gathered'), ('notify', '0003_of_drills')]

    initial = True

    dependencies = [
        ('contenttypes', '0002_remove_content_type_name'),
        ('directory', '0003_rules_quiet_hours_and_loud_severities'),
    ]

    operations = [
        CreateTogether(
            models=[
                migrations.CreateModel(
                    name='Message',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('idempotency_key', models.CharField(max_length=160)),
                        ('kind', models.CharField(max_length=40)),
                        ('about_type', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contenttypes.contenttype')),
                        ('about_id', models.BigIntegerField(blank=True, null=True)),
                        ('about_reference', models.CharField(blank=True, max_length=40)),
                        ('generation', models.PositiveIntegerField(default=0)),
                        ('lane', models.CharField(max_length=12)),
                        ('contact', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='directory.contact')),
                        ('method', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='directory.contactmethod')),
                        ('channel', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='directory.channel')),
                        ('address', models.CharField(blank=True, max_length=300)),
                        ('title', models.CharField(max_length=300)),
                        ('body', models.TextField()),
                        ('url_path', models.CharField(blank=True, max_length=300)),
                        ('action_path', models.CharField(blank=True, max_length=100)),
                        ('urgent', models.BooleanField(default=False)),
                        ('is_drill', models.BooleanField(db_default=False, default=False, verbose_name='of a drill')),
                        ('waits_while_quiet', models.BooleanField(default=False)),
                        ('bundle', models.CharField(blank=True, max_length=80)),
                        ('repeat_seconds', models.PositiveIntegerField(blank=True, null=True)),
                        ('repeat_number', models.PositiveIntegerField(default=0)),
                        ('state', models.CharField(choices=[('pending', 'Waiting'), ('sending', 'Sending'), ('sent', 'Sent'), ('failed', 'Failed, will be tried again'), ('dead', 'Given up'), ('cancelled', 'Cancelled')], default='pending', max_length=10)),
                        ('attempts', models.PositiveSmallIntegerField(default=0)),
                        ('lease_token', models.UUIDField(blank=True, null=True)),
                        ('lease_until', models.DateTimeField(blank=True, null=True)),
                        ('created_at', models.DateTimeField()),
                        ('due_at', models.DateTimeField()),
                        ('next_attempt_at', models.DateTimeField()),
                        ('stopped_at', models.DateTimeField(blank=True, null=True)),
                        ('fallback_of', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fallbacks', to='notify.message')),
                        ('settled_at', models.DateTimeField(blank=True, null=True)),
                        ('read_at', models.DateTimeField(blank=True, null=True)),
                        ('error', models.TextField(blank=True)),
                    ],
                    options={
                        'ordering': ['-created_at', '-id'],
                        'indexes': [models.Index(condition=models.Q(('state__in', ['pending', 'failed', 'sending'])), fields=['lane', '-urgent', 'next_attempt_at'], name='message_unsent'), models.Index(fields=['about_type', 'about_id'], name='message_about'), models.Index(fields=['contact', 'lane', 'read_at'], name='message_inbox'), models.Index(fields=['-created_at', '-id'], name='message_newest'), models.Index(condition=models.Q(('kind', 'verification')), fields=['method', 'created_at'], name='message_of_codes'), models.Index(condition=models.Q(('fallback_of__isnull', False)), fields=['fallback_of'], name='message_fallback')],
                        'constraints': [models.UniqueConstraint(fields=('idempotency_key',), name='one_message_per_key'), models.CheckConstraint(condition=models.Q(models.Q(('settled_at__isnull', True), ('state__in', ['pending', 'failed', 'sending'])), models.Q(('settled_at__isnull', False), ('state__in', ['sent', 'dead', 'cancelled'])), _connector='OR'), name='message_settled_with_its_moment'), models.CheckConstraint(condition=models.Q(models.Q(('lease_token__isnull', False), ('lease_until__isnull', False), ('state', 'sending')), models.Q(models.Q(('state', 'sending'), _negated=True), ('lease_token__isnull', True), ('lease_until__isnull', True)), _connector='OR'), name='message_leased_while_sending')],
                    },
                ),
                migrations.CreateModel(
                    name='Turn',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('method', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='turn', to='directory.contactmethod')),
                        ('channel', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='turn', to='directory.channel')),
                        ('next_at', models.DateTimeField()),
                        ('drills_next_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('channel__isnull', True), ('method__isnull', False)), models.Q(('channel__isnull', False), ('method__isnull', True)), _connector='OR'), name='turn_of_a_method_or_a_channel')],
                    },
                ),
                migrations.CreateModel(
                    name='ActionLink',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('digest', models.CharField(max_length=64, unique=True)),
                        ('message', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links', to='notify.message')),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField()),
                        ('used_at', models.DateTimeField(blank=True, null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name='Verification',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('method', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='verifications', to='directory.contactmethod')),
                        ('digest', models.CharField(max_length=64)),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField()),
                        ('attempts', models.PositiveSmallIntegerField(default=0)),
                        ('used_at', models.DateTimeField(blank=True, null=True)),
                    ],
                ),
            ],
        ),
    ]
