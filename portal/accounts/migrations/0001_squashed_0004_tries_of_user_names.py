import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
import portal.accounts.models
import portal.lib.zones
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from portal.lib.migrating import CreateTogether


class Migration(migrations.Migration):

    replaces = [('accounts', '0001_initial'), ('accounts', '0002_sessions_and_throttle'), ('accounts', '0003_history_of_groups_and_permissions'), ('accounts', '0004_tries_of_user_names')]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('axes', '0010_accessattemptexpiration'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        CreateTogether(
            models=[
                migrations.CreateModel(
                    name='HistoricalGroup',
                    fields=[
                        ('id', models.IntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('actor_name', models.CharField(max_length=200, verbose_name='actor')),
                        ('actor_contact_id', models.BigIntegerField(blank=True, null=True)),
                        ('origin', models.CharField(blank=True, max_length=20)),
                        ('remote_address', models.CharField(blank=True, max_length=45)),
                        ('gesture', models.UUIDField(null=True)),
                        ('name', models.CharField(max_length=150, verbose_name='name')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.TextField(blank=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                    ],
                    options={
                        'verbose_name': 'historical group',
                        'verbose_name_plural': 'historical groups',
                        'ordering': ('-history_id',),
                        'get_latest_by': 'history_id',
                        'default_permissions': (),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='HistoricalGroup_permissions',
                    fields=[
                        ('id', models.IntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('group', models.ForeignKey(blank=True, db_constraint=False, db_index=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='auth.group')),
                        ('permission', models.ForeignKey(blank=True, db_constraint=False, db_index=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='auth.permission')),
                        ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='accounts.historicalgroup')),
                        ('m2m_history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                    ],
                    options={
                        'verbose_name': 'HistoricalGroup_permissions',
                        'default_permissions': (),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='HistoricalPermission',
                    fields=[
                        ('id', models.IntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('actor_name', models.CharField(max_length=200, verbose_name='actor')),
                        ('actor_contact_id', models.BigIntegerField(blank=True, null=True)),
                        ('origin', models.CharField(blank=True, max_length=20)),
                        ('remote_address', models.CharField(blank=True, max_length=45)),
                        ('gesture', models.UUIDField(null=True)),
                        ('name', models.CharField(max_length=255, verbose_name='name')),
                        ('codename', models.CharField(max_length=100, verbose_name='codename')),
                        ('content_type', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='contenttypes.contenttype', verbose_name='content type')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.TextField(blank=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                    ],
                    options={
                        'verbose_name': 'historical permission',
                        'verbose_name_plural': 'historical permissions',
                        'ordering': ('-history_id',),
                        'get_latest_by': 'history_id',
                        'default_permissions': (),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='SignInTries',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(editable=False, max_length=64)),
                        ('place', models.CharField(blank=True, editable=False, max_length=45)),
                        ('tries', models.PositiveIntegerField(default=0, editable=False)),
                        ('last', models.DateTimeField(editable=False)),
                    ],
                    options={
                        'verbose_name': 'tries of a user name',
                        'verbose_name_plural': 'tries of user names',
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['last'], name='tries_oldest')],
                        'constraints': [models.UniqueConstraint(fields=('name', 'place'), name='tries_counted_once_for_each_place')],
                    },
                ),
                migrations.CreateModel(
                    name='HistoricalUser',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('actor_name', models.CharField(max_length=200, verbose_name='actor')),
                        ('actor_contact_id', models.BigIntegerField(blank=True, null=True)),
                        ('origin', models.CharField(blank=True, max_length=20)),
                        ('remote_address', models.CharField(blank=True, max_length=45)),
                        ('gesture', models.UUIDField(null=True)),
                        ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                        ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                        ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                        ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                        ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                        ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                        ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                        ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                        ('time_zone', models.CharField(default='Europe/London', help_text='Times are shown to this person in this zone.', max_length=64, validators=[portal.lib.zones.validate_zone])),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.TextField(blank=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                    ],
                    options={
                        'verbose_name': 'historical account',
                        'verbose_name_plural': 'historical accounts',
                        'ordering': ('-history_id',),
                        'get_latest_by': 'history_id',
                        'default_permissions': (),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='User',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('password', models.CharField(max_length=128, verbose_name='password')),
                        ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                        ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                        ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                        ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                        ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                        ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                        ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                        ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                        ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                        ('time_zone', models.CharField(default='Europe/London', help_text='Times are shown to this person in this zone.', max_length=64, validators=[portal.lib.zones.validate_zone])),
                        ('session_stamp', models.CharField(blank=True, default='', editable=False, max_length=32)),
                        ('proofs_refused', models.PositiveSmallIntegerField(default=0, editable=False)),
                        ('proofs_refused_since', models.DateTimeField(blank=True, editable=False, null=True)),
                        ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                        ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                    ],
                    options={
                        'verbose_name': 'account',
                        'verbose_name_plural': 'accounts',
                        'abstract': False,
                    },
                    managers=[
                        ('objects', portal.accounts.models.AccountManager()),
                    ],
                ),
                migrations.CreateModel(
                    name='HistoricalUser_groups',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('user', models.ForeignKey(blank=True, db_constraint=False, db_index=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('group', models.ForeignKey(blank=True, db_constraint=False, db_index=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='auth.group')),
                        ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='accounts.historicaluser')),
                        ('m2m_history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                    ],
                    options={
                        'verbose_name': 'HistoricalUser_groups',
                        'default_permissions': (),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='HistoricalUser_user_permissions',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('user', models.ForeignKey(blank=True, db_constraint=False, db_index=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('permission', models.ForeignKey(blank=True, db_constraint=False, db_index=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='auth.permission')),
                        ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='accounts.historicaluser')),
                        ('m2m_history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                    ],
                    options={
                        'verbose_name': 'HistoricalUser_user_permissions',
                        'default_permissions': (),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='SignIn',
                    fields=[
                    ],
                    options={
                        'verbose_name': 'sign-in',
                        'proxy': True,
                    },
                    bases=('axes.accesslog',),
                ),
            ],
        ),
    ]
