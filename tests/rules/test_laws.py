"""Laws that no linter can say: what must happen later is a row, services are told the time, nothing is pushed."""

import ast
import weakref
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth import signals as auth_signals
from django.core import signals as core_signals
from django.db.models import signals as model_signals
from django.dispatch import Signal

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("portal", "incidents", "changes", "maintenance")
SOURCES = [path for part in PARTS for path in sorted((ROOT / part).rglob("*.py")) if "migrations" not in path.parts]
# Beside services proper: what services are made of.
LIKE_SERVICES = (
    "incidents/escalation/", "incidents/clocks/", "incidents/communications/", "incidents/sweeps.py",
    "portal/assurance/exporting/", "portal/assurance/packets/",
)  # fmt: skip
CLOCKS = {
    ("clock", "now"), ("clock", "database_now"), ("clock", "offset_seconds"), ("timezone", "now"), ("datetime", "now"),
    ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("timezone", "localdate"), ("time", "time"),
}  # fmt: skip
CLOCK_MODULES = {"portal.lib.clock", "django.utils.timezone", "time"}
CLOCK_NAMES = {name for _, name in CLOCKS}
LATER = {"eta", "countdown", "autoretry_for"}
SIGNAL_MODULES = ("django.dispatch", "celery.signals", "simple_history.signals")
# What a module may import of signals or connect: file, name and reason.
SIGNALS = {
    ("portal/audit/apps.py", "pre_migrate"): "SQLite rebuilds no table that a trigger of another one reads",
    ("portal/audit/apps.py", "pre_migrate.connect"): "SQLite rebuilds no table that a trigger of another one reads",
    ("portal/audit/apps.py", "post_migrate"): "guards are installed after migrations",
    ("portal/audit/apps.py", "post_migrate.connect"): "guards are installed after migrations",
    ("portal/search/apps.py", "pre_migrate"): "SQLite drops no column that a trigger names",
    ("portal/search/apps.py", "pre_migrate.connect"): "SQLite drops no column that a trigger names",
    ("portal/search/apps.py", "post_migrate"): "the words of what is searched are kept from the next migration on",
    ("portal/search/apps.py", "post_migrate.connect"): "the words of what is searched are kept from then on",
    ("portal/accounts/apps.py", "post_migrate"): "roles are synchronised after migrations",
    ("portal/accounts/apps.py", "post_migrate.connect"): "roles are synchronised after migrations",
    ("portal/accounts/apps.py", "user_logged_in"): "every sign-in is on the trail, by whatever route",
    ("portal/accounts/apps.py", "user_logged_in.connect"): "every sign-in is on the trail, by whatever route",
    ("portal/accounts/apps.py", "user_logged_out"): "every sign-out is on the trail, by whatever route",
    ("portal/accounts/apps.py", "user_logged_out.connect"): "every sign-out is on the trail, by whatever route",
    ("portal/accounts/apps.py", "user_login_failed"): "every refused sign-in is on the trail, by whatever route",
    ("portal/accounts/apps.py", "user_login_failed.connect"): "every refused sign-in is on the trail",
    ("portal/directory/apps.py", "post_migrate"): "reference data is loaded after migrations",
    ("portal/directory/apps.py", "post_migrate.connect"): "reference data is loaded after migrations",
    ("portal/assurance/apps.py", "post_migrate"): "reference data is loaded after migrations",
    ("portal/assurance/apps.py", "post_migrate.connect"): "reference data is loaded after migrations",
    ("portal/approvals/apps.py", "post_migrate"): "reference data is loaded after migrations",
    ("portal/approvals/apps.py", "post_migrate.connect"): "reference data is loaded after migrations",
    ("portal/runbooks/apps.py", "post_migrate"): "reference data is loaded after migrations",
    ("portal/runbooks/apps.py", "post_migrate.connect"): "reference data is loaded after migrations",
    ("incidents/apps.py", "post_migrate"): "reference data is loaded after migrations",
    ("incidents/apps.py", "post_migrate.connect"): "reference data is loaded after migrations",
    ("changes/apps.py", "post_migrate"): "reference data is loaded after migrations",
    ("maintenance/apps.py", "post_migrate"): "reference data is loaded after migrations",
    ("maintenance/apps.py", "post_migrate.connect"): "reference data is loaded after migrations",
    ("changes/apps.py", "post_migrate.connect"): "reference data is loaded after migrations",
    ("portal/audit/history.py", "pre_save"): "what would leave no history is refused before it is written",
    ("portal/audit/history.py", "pre_save.connect"): "what would leave no history is refused before it is written",
    ("portal/audit/history.py", "pre_delete"): "a relation ends without a signal when what it points at is deleted",
    ("portal/audit/history.py", "pre_delete.connect"): "a relation ends without a signal when its end is deleted",
    ("portal/audit/history.py", "post_delete"): "a relation ends without a signal when what it points at is deleted",
    ("portal/audit/history.py", "post_delete.connect"): "a relation ends without a signal when its end is deleted",
    ("portal/celery.py", "signals"): "the one way to keep Celery from replacing the logs; it concerns no record",
    ("portal/celery.py", "signals.setup_logging.connect"): "the one way to keep Celery from replacing the logs",
    ("portal/celery.py", "signals.task_prerun.connect"): "no task goes on with a connection that broke",
}
# Receivers of the project that listen when it runs: signal, module and reason.
LISTENING = {
    ("pre_migrate", "portal.audit.receivers"): "SQLite rebuilds no table that a trigger of another one reads",
    ("post_migrate", "portal.audit.receivers"): "guards are installed after migrations",
    ("pre_migrate", "portal.search.receivers"): "SQLite drops no column that a trigger names",
    ("post_migrate", "portal.search.receivers"): "the words of what is searched are kept from the next migration on",
    ("post_migrate", "portal.audit.adopting"): "history from before the trail is told in it, once",
    ("class_prepared", "portal.audit.history"): "django-simple-history makes the history model of each audited one",
    ("pre_save", "portal.audit.history"): "what would leave no history is refused before it is written",
    ("pre_delete", "portal.audit.history"): "a relation ends without a signal when what it points at is deleted",
    ("post_save", "portal.audit.history"): "django-simple-history writes the history of each audited row",
    ("post_delete", "portal.audit.history"): "django-simple-history writes the history of each audited row",
    ("post_save", "portal.accounts.rights"): "the history of groups and permissions, which are Django's own",
    ("m2m_changed", "portal.accounts.models"): "the history of accounts; a role given or withdrawn ends their sessions",
    ("m2m_changed", "portal.audit.history"): "django-simple-history writes the history of each audited relation",
    ("user_logged_in", "portal.accounts.receivers"): "every sign-in is on the trail, by whatever route",
    ("user_logged_out", "portal.accounts.receivers"): "every sign-out is on the trail, by whatever route",
    ("user_login_failed", "portal.accounts.receivers"): "every refused sign-in is on the trail, by whatever route",
    ("post_migrate", "portal.accounts.receivers"): "roles are synchronised after migrations",
    ("post_migrate", "portal.directory.receivers"): "reference data is loaded after migrations",
    ("post_migrate", "portal.assurance.receivers"): "reference data is loaded after migrations",
    ("post_migrate", "portal.approvals.receivers"): "reference data is loaded after migrations",
    ("post_migrate", "portal.runbooks.receivers"): "reference data is loaded after migrations",
    ("post_migrate", "incidents.receivers"): "reference data is loaded after migrations",
    ("post_migrate", "changes.receivers"): "reference data is loaded after migrations",
    ("post_migrate", "maintenance.receivers"): "reference data is loaded after migrations",
}


def name_of(path):
    return str(path.relative_to(ROOT))


def is_service(path):
    name = name_of(path)
    return path.stem == "services" or "services" in path.relative_to(ROOT).parts[:-1] or name.startswith(LIKE_SERVICES)


def dotted_end(node):
    """Return the last two names of x.y.z as (y, z), or None for what is no name."""
    if not isinstance(node, ast.Attribute):
        return None
    if isinstance(node.value, ast.Name):
        return node.value.id, node.attr
    return (node.value.attr, node.attr) if isinstance(node.value, ast.Attribute) else None


def left_to_a_broker(tree):
    """Yield the line of each call that asks a broker to do something later."""
    for node in ast.walk(tree):
        named = isinstance(node, ast.Constant) and node.value in LATER
        retried = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "retry"
        if isinstance(node, ast.keyword) and node.arg in LATER:
            yield node.value.lineno
        elif named or retried:
            yield node.lineno


def clock_reads(tree):
    """Yield the line of each place that reads a clock, or imports by name what does."""
    for node in ast.walk(tree):
        imports = node.names if isinstance(node, ast.ImportFrom) and node.module in CLOCK_MODULES else ()
        if dotted_end(node) in CLOCKS or CLOCK_NAMES & {name.name for name in imports}:
            yield node.lineno


def signals(tree):
    """Yield line and name of each signal that is imported, and of each receiver or connection."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module.endswith("signals") or node.module.startswith(SIGNAL_MODULES):
                yield from ((node.lineno, name.name) for name in node.names)
            yield from ((node.lineno, name.name) for name in node.names if name.name == "signals")
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names if name.name.endswith(("signals", "dispatch")))
        elif isinstance(node, ast.Attribute) and node.attr == "connect":  # called, or used as a decorator
            yield node.lineno, ast.unparse(node)


def parsed(path):
    return ast.parse(path.read_text())


def test_the_rules_see_what_they_should():
    later = "a.apply_async(eta=x)\na.apply_async(countdown=3)\nself.retry()\na.apply_async(**{'eta': x})\nf(beta=1)"
    assert sorted(left_to_a_broker(ast.parse(later))) == [1, 2, 3, 4]
    reads = "clock.now()\nlib.timezone.now()\nfrom portal.lib.clock import database_now\ntimezone.localtime(x)\nnow()"
    assert sorted(clock_reads(ast.parse(reads))) == [1, 2, 3]
    pushed = (
        "from django.db.models.signals import post_save\npost_save.connect(f)\nfrom django.dispatch import receiver"
    )
    assert [name for _, name in sorted(signals(ast.parse(pushed)))] == ["post_save", "post_save.connect", "receiver"]


def test_the_services_are_found():
    names = {name_of(path) for path in SOURCES if is_service(path)}
    assert {"portal/notify/services.py", "incidents/services/ending.py", "incidents/sweeps.py"} <= names
    assert {"incidents/escalation/running.py", "incidents/clocks/timing.py"} <= names


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_that_must_happen_later_lives_in_a_broker(path):
    wrong = sorted(left_to_a_broker(parsed(path)))
    assert not wrong, f"{name_of(path)}, lines {wrong}: write a deadline or a message row; a broker forgets and repeats"


@pytest.mark.parametrize("path", [path for path in SOURCES if is_service(path)], ids=name_of)
def test_a_service_is_told_the_time(path):
    wrong = sorted(clock_reads(parsed(path)))
    assert not wrong, (
        f"{name_of(path)}, lines {wrong}: take the moment as at=; views, tasks and commands read the clock"
    )


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_signals_are_no_plumbing(path):
    found = [(line, name) for line, name in signals(parsed(path)) if (name_of(path), name) not in SIGNALS]
    wrong = sorted(f"line {line}: {name}" for line, name in found)
    assert not wrong, f"{name_of(path)}: call a service instead of connecting a signal: {'; '.join(wrong)}"


def listening():
    """Yield signal and module of each receiver of the project that Django's own signals would call."""
    for module in (model_signals, auth_signals, core_signals):
        for name, signal in vars(module).items():
            for entry in signal.receivers if isinstance(signal, Signal) else ():
                receiver = entry[1]() if isinstance(entry[1], weakref.ReferenceType) else entry[1]
                receiver = receiver.func if isinstance(receiver, partial) else receiver
                if getattr(receiver, "__module__", "").split(".")[0] in PARTS:
                    yield name, receiver.__module__


def test_only_history_and_migrations_are_listened_for():
    found = set(listening())
    assert found <= LISTENING.keys(), f"call a service instead: {sorted(found - LISTENING.keys())}"
    assert found == LISTENING.keys(), f"no longer needed: {sorted(LISTENING.keys() - found)}"


def test_no_exemption_is_left_over():
    for path, name in SIGNALS:
        assert name in {found for _, found in signals(parsed(ROOT / path))}, f"{path} no longer needs {name}"
