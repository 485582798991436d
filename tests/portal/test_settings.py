"""Settings: each variable is documented, and one that cannot be used stops the start with a sentence."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from portal import environment

CHECKOUT = Path(settings.BASE_DIR)
SHOW = (
    "import json; from portal import settings as s;"
    "print(json.dumps({k: getattr(s, k) for k in dir(s) if k.isupper()}, default=str))"
)


def load(tmp_path, **variables):
    """Load the settings in a process of their own, with nothing set but `variables`."""
    clean = {"PATH": os.environ["PATH"], "PORTAL_DATA": str(tmp_path / "data"), "PORTAL_ENV_FILE": "", **variables}
    return subprocess.run(
        [sys.executable, "-c", SHOW], cwd=CHECKOUT, env=clean, capture_output=True, text=True, check=False
    )


def load_values(tmp_path, **variables):
    """Return the settings by name."""
    done = load(tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


BAD = [
    ("INTAKE_SMTP", "2525", "INTAKE_SMTP must be a host and a port"),
    ("INTAKE_SMTP", "localhost:x", "INTAKE_SMTP must be a host and a port"),
    ("PORTAL_URL", "watchbook.example.org", "PORTAL_URL must be an address such as"),
    ("PORTAL_URL", "https://watchbook.example.org/path", "without a path"),
    ("PORTAL_URL", "https://watchbook.example.org:port", "PORTAL_URL must be"),
    ("PORTAL_ADDRESS", "zzz", "PORTAL_ADDRESS must be an address such as"),
    ("PORTAL_HOSTS", "a b/c", "PORTAL_HOSTS must be host names separated by commas"),
    ("PORTAL_HOSTS", "watchbook.internal:8000", "without ports"),
    ("PORTAL_HOSTS", "http://watchbook.internal", "PORTAL_HOSTS must be host names"),
    ("SECRET_KEY", "short", "SECRET_KEY must be at least 50 random characters"),
    ("SECRET_KEY", "a" * 60, "SECRET_KEY must be at least 50 random characters"),
    ("SECRET_KEY_FALLBACKS", "short,a", "SECRET_KEY_FALLBACKS must be earlier values of SECRET_KEY"),
    ("SECOND_FACTOR", "never", "SECOND_FACTOR must be one of required, demo"),
    ("SESSION_IDLE_MINUTES", "0", "SESSION_IDLE_MINUTES must be a whole number from 5 to 1440"),
    ("SESSION_HOURS", "for ever", "SESSION_HOURS must be a whole number from 1 to 168"),
    ("CONFIRMATION_MINUTES", "90", "CONFIRMATION_MINUTES must be a whole number from 1 to 60"),
    ("SIGN_IN_TRIES", "1", "SIGN_IN_TRIES must be a whole number from 5 to 1000"),
    ("SIGN_IN_WAIT_MINUTES", "0", "SIGN_IN_WAIT_MINUTES must be a whole number from 1 to 30"),
    ("SIGN_IN_KNOWN_DAYS", "some", "SIGN_IN_KNOWN_DAYS must be a whole number from 0 to 365"),
    ("PORTAL_TIME_ZONE", "Mars/Olympus", "PORTAL_TIME_ZONE must be a time zone"),
    ("PORTAL_TIME_ZONE", "../etc/passwd", "PORTAL_TIME_ZONE must be a time zone"),
    ("DATABASE_URL", "mysql://u:p@host/db", "DATABASE_URL must be an address such as postgres://"),
    ("DATABASE_URL", "postgres://u:p@host:5432", "DATABASE_URL must be"),
    ("DATABASE_URL", "watchbook", "DATABASE_URL must be"),
    ("MIGRATION_DATABASE_URL", "mysql://u:p@host/db", "MIGRATION_DATABASE_URL must be an address such as postgres://"),
    ("MIGRATION_DATABASE_URL", "postgres://u:p@h/db", "must name the same database as DATABASE_URL"),
    ("REDIS_URL", "127.0.0.1:6379", "REDIS_URL must be an address such as redis://"),
    ("REDIS_URL", "http://host", "REDIS_URL must be"),
    ("EMAIL_URL", "mail.example.org", "EMAIL_URL must be a mail server"),
    ("EMAIL_URL", "smtp://host:none", "EMAIL_URL must be a mail server"),
    ("EMAIL_FROM", "nobody", "EMAIL_FROM must be a mail address"),
    ("HEARTBEAT_URL", "ftp://host/x", "HEARTBEAT_URL must be an address"),
    ("TWILIO_URL", "twilio://me@+44", "TWILIO_URL must be a Twilio account and its number"),
    ("PORTAL_ENV_FILE", "/no/such/file", "Create that file or unset PORTAL_ENV_FILE"),
    ("PORTAL_DATA", "/dev/null/var", "cannot be made"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), BAD)
def test_a_variable_that_cannot_be_used_stops_the_start_with_one_sentence(tmp_path, name, value, sentence):
    done = load(tmp_path, **{name: value})
    assert done.returncode == 1
    assert done.stderr.startswith("Watchbook did not start: ")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "MIGRATION_DATABASE_URL", "EMAIL_URL", "REDIS_URL"])
def test_the_sentence_never_repeats_a_value_that_may_hold_a_password(tmp_path, name):
    assert "hunter2" not in load(tmp_path, **{name: "x://user:hunter2@host:none/"}).stderr


def test_a_malformed_variable_stops_manage_py_too(tmp_path):
    environ = {"PATH": os.environ["PATH"], "PORTAL_DATA": str(tmp_path), "PORTAL_ENV_FILE": "", "REDIS_URL": "nonsense"}
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Watchbook did not start: REDIS_URL must be")
    assert "Traceback" not in done.stderr


def test_an_empty_variable_counts_as_unset(tmp_path):
    done = load(tmp_path, DATABASE_URL="", PORTAL_URL=" ", EMAIL_URL="", SECRET_KEY="")
    assert done.returncode == 0, done.stderr
    assert "sqlite3" in done.stdout


def test_the_pages_answer_to_every_host_that_is_named(tmp_path):
    hosts = ["watchbook.internal", ".example.org", "10.0.0.7", "[fd00::7]", "*"]
    assert load_values(tmp_path, PORTAL_HOSTS=" , ".join([*hosts, ""]))["ALLOWED_HOSTS"][-5:] == hosts


def test_an_https_address_turns_on_every_secure_setting(tmp_path):
    values = load_values(tmp_path, PORTAL_URL="https://watchbook.example.org/")
    assert values["PORTAL_URL"] == "https://watchbook.example.org"
    on = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_INCLUDE_SUBDOMAINS")
    assert all(values[name] is True for name in on)
    assert values["SECURE_HSTS_SECONDS"] >= 31536000
    assert values["DEBUG"] is False
    assert "Manifest" in values["STORAGES"]["staticfiles"]["BACKEND"]


def test_a_plain_address_leaves_the_secure_settings_off(tmp_path):
    values = load_values(tmp_path)
    assert not values.get("SECURE_SSL_REDIRECT")
    assert values["PORTAL_URL"] == "http://127.0.0.1:8000"


def test_without_a_mail_server_mails_go_to_files_of_the_data_folder(tmp_path):
    values = load_values(tmp_path)
    assert values["EMAIL_BACKEND"].endswith("filebased.EmailBackend")
    assert values["EMAIL_FILE_PATH"] == str(tmp_path / "data" / "mail")


def test_a_mail_server_is_taken_from_its_address(tmp_path):
    values = load_values(tmp_path, EMAIL_URL="smtp+tls://me:secret@mail.example.org:587")
    assert (values["EMAIL_HOST"], values["EMAIL_PORT"], values["EMAIL_USE_TLS"]) == ("mail.example.org", 587, True)
    assert (values["EMAIL_HOST_USER"], values["EMAIL_HOST_PASSWORD"]) == ("me", "secret")


def test_a_mail_server_without_a_port_uses_the_usual_one(tmp_path):
    assert load_values(tmp_path, EMAIL_URL="smtp://mail.example.org").get("EMAIL_PORT", 25) == 25


def test_other_commands_find_the_address_of_the_portal_in_the_data_folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "address").write_text("http://127.0.0.1:8123\n")
    assert load_values(tmp_path)["PORTAL_URL"] == "http://127.0.0.1:8123"
    assert load_values(tmp_path, PORTAL_ADDRESS="http://127.0.0.1:9")["PORTAL_URL"] == "http://127.0.0.1:9"
    assert load_values(tmp_path, PORTAL_URL="https://x.example", PORTAL_ADDRESS="http://127.0.0.1:9")["SECURE"] is True


def test_other_processes_find_the_embedded_broker_in_the_data_folder(tmp_path):
    before = load_values(tmp_path)
    assert before["REDIS_URL"] == f"unix://{tmp_path / 'data' / 'broker' / 'socket'}"
    assert before["CELERY_BROKER_URL"] == before["REDIS_URL"].replace("unix", "redis+socket")
    (tmp_path / "data" / "broker").mkdir()
    (tmp_path / "data" / "broker" / "address").write_text("redis://:pw@127.0.0.1:7777/0\n")
    assert load_values(tmp_path)["CELERY_BROKER_URL"] == "redis://:pw@127.0.0.1:7777/0"
    assert load_values(tmp_path, REDIS_URL="redis://h:1/2")["BROKER_IS_EMBEDDED"] is False


def test_lines_of_the_env_file_count_and_the_environment_wins(tmp_path):
    (tmp_path / "env").write_text("PORTAL_COMPANY=From file\nPORTAL_TIME_ZONE=Europe/Paris\n")
    values = load_values(tmp_path, PORTAL_ENV_FILE=str(tmp_path / "env"), PORTAL_COMPANY="From outside")
    assert (values["PORTAL_COMPANY"], values["TIME_ZONE"]) == ("From outside", "Europe/Paris")


def test_sqlite_waits_for_its_lock_and_survives_a_power_cut(tmp_path):
    options = load_values(tmp_path)["DATABASES"]["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] == 20
    assert "synchronous=FULL" in options["init_command"]
    assert "journal_mode=WAL" in options["init_command"]


def test_requests_are_never_wrapped_in_one_transaction(tmp_path):
    for variables in ({}, {"DATABASE_URL": "postgres://u:p@h:5432/db"}):
        assert not load_values(tmp_path, **variables)["DATABASES"]["default"].get("ATOMIC_REQUESTS")


def test_the_secret_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    first = environment.secret_key(tmp_path)
    assert environment.secret_key(tmp_path) == first
    assert len(first) >= 50
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_a_secret_key_that_lost_its_content_is_named(tmp_path):
    (tmp_path / "secret-key").write_text("")
    with pytest.raises(environment.SettingsProblem, match="Delete that file"):
        environment.secret_key(tmp_path)


class TestSecondFactor:
    def test_it_is_required_by_default(self, tmp_path):
        assert load_values(tmp_path)["SECOND_FACTOR"] == "required"
        assert load_values(tmp_path, PORTAL_URL="https://w.example.org")["SECOND_FACTOR"] == "required"

    def test_a_demo_whose_logins_stand_asks_for_none(self, tmp_path):
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "demo-logins").touch()
        assert load_values(tmp_path)["SECOND_FACTOR"] == "demo"
        assert load_values(tmp_path, SECOND_FACTOR="required")["SECOND_FACTOR"] == "required"
        assert load_values(tmp_path, PORTAL_URL="https://w.example.org")["SECOND_FACTOR"] == "required"

    def test_with_https_there_is_no_exception(self, tmp_path):
        done = load(tmp_path, PORTAL_URL="https://w.example.org", SECOND_FACTOR="demo")
        assert "SECOND_FACTOR=demo is for trying Watchbook out without https" in done.stderr
        assert done.returncode == 1


def test_the_content_security_policy_allows_nothing_unsafe():
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert directives["default-src"] == ["'self'"]
    assert "unsafe" not in repr(directives)


def test_every_variable_is_documented_and_nothing_else_is():
    documented = set(re.findall(r"^#?([A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE))
    sources = [CHECKOUT / "portal" / "settings.py", CHECKOUT / "portal" / "environment.py"]
    sources.append(CHECKOUT / "portal" / "keys.py")
    call = r"(?:environment\.\w+|keys\.public_keys|read|endpoint|_postgresql|environ\.get)\(\s*\"([A-Z_]+)\""
    used = {name for source in sources for name in re.findall(call, source.read_text())}
    assert used <= documented
    assert documented - used == {"WATCHBOOK_SAMPLES", "WATCHBOOK_TEST_DATA", "FAULTS_SEED"}


OWNER, RUNTIME = "postgres://owner:a@h:5432/db", "postgres://clerk:b@h:5432/db"


def test_the_running_portal_is_never_the_owner_of_the_tables(tmp_path):
    values = load_values(tmp_path, DATABASE_URL=RUNTIME, MIGRATION_DATABASE_URL=OWNER)
    assert values["DATABASES"]["default"]["USER"] == "clerk"
    assert (values["RUNTIME_ROLE"], values["HAS_OWNER_APART"], values["DOES_OWNERS_WORK"]) == ("clerk", True, False)


def test_without_an_owner_apart_everything_is_done_by_one_role(tmp_path):
    values = load_values(tmp_path, DATABASE_URL=RUNTIME)
    assert (values["RUNTIME_ROLE"], values["HAS_OWNER_APART"]) == ("clerk", False)


@pytest.mark.parametrize(
    ("argv", "owners"),
    [
        (["manage.py", "migrate"], True),
        (["./manage.py", "migrate", "incidents", "zero"], True),
        (["manage.py", "audit", "install-guards"], True),
        (["manage.py", "audit", "grant", "clerk"], True),
        (["manage.py", "audit", "verify"], False),
        (["manage.py", "audit"], False),
        (["manage.py", "portal"], False),
        (["manage.py", "flush"], False),
        (["manage.py"], False),
        (["pytest", "migrate"], False),
        (["/venv/pytest/__main__.py", "migrate"], False),
        (["/venv/bin/gunicorn", "migrate"], False),
        ([], False),
    ],
)
def test_only_what_makes_tables_guards_or_grants_is_done_as_the_owner(argv, owners):
    assert environment.does_owners_work(argv) is owners


def test_the_owner_connects_by_an_address_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", RUNTIME)
    monkeypatch.setenv("MIGRATION_DATABASE_URL", OWNER)
    assert environment.database(tmp_path, as_owner=True)["USER"] == "owner"
    assert environment.database(tmp_path)["USER"] == "clerk"


def test_the_grants_need_to_know_the_role_of_the_running_portal(tmp_path):
    done = load(tmp_path, DATABASE_URL="postgres://h:5432/db", MIGRATION_DATABASE_URL=OWNER)
    assert "DATABASE_URL must name its role" in done.stderr
