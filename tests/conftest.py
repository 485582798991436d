"""What every test stands on. Keep it small: factories live in tests/factories/."""

import asyncio
import os
import shutil

import pytest
from django.test import SimpleTestCase
from django.test.utils import setup_databases, teardown_databases
from hypothesis import settings as properties

from portal.audit.actor import acting
from tests import migrated, pristine
from tests.factories.payloads import SAMPLES_ABSENT

# A property says what holds, not how fast: the first example may load a country's holidays on a busy machine.
properties.register_profile("house", properties.get_profile("ci" if os.environ.get("CI") else "default"), deadline=None)
properties.load_profile("house")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LEFT_OUT = "Chromium was not found; on Debian: apt-get install chromium"


@pytest.fixture(autouse=True)
def _acting():
    """Name the actor of what a test writes: pytest does not come in through manage.py."""
    with acting(by="test", reason="A test", origin="command"):
        yield


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Hide the loop that a browser of other tests keeps on this thread: under a loop, Django opens a second connection.

    The last test sees it, because the browser is closed behind it.
    """
    running = asyncio._get_running_loop()
    hidden = running is not None and nextitem is not None and item.get_closest_marker("browser") is None
    if hidden:
        asyncio._set_running_loop(None)
    yield
    if hidden:
        asyncio._set_running_loop(running)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, django_db_modify_db_settings):
    """Make the test database from a copy of one that was migrated; migrations that came since run on it."""
    with django_db_blocker.unblock():
        migrated.copied()
        made = setup_databases(verbosity=0, interactive=False, keepdb=True)
        kept = pristine.kept()
    with pristine.after_each(kept):
        yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def browser_type_launch_args():
    """Start the system's Chromium, as root too, and keep it from calling out."""
    quiet = ("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync")
    return {"executable_path": CHROMIUM, "args": ["--headless", "--no-sandbox", *quiet]}


def pytest_addoption(parser):
    """`--only-database` leaves out what asks no database: a second run on another one would repeat it in vain."""
    parser.addoption("--only-database", action="store_true", help="leave out the tests that ask no database")


def asks_database(item):
    """Whether a test may ask the database; pytest-django refuses it to every other one."""
    named = {"db", "transactional_db", "live_server", "django_db_setup"} & set(item.fixturenames)
    of_django = item.cls is not None and issubclass(item.cls, SimpleTestCase)
    return bool(named) or of_django or item.get_closest_marker("django_db") is not None


def pytest_collection_modifyitems(config, items):
    """Leave out what needs no second run, and the browser tests where there is no Chromium, which CI must have."""
    if config.getoption("only_database"):
        config.hook.pytest_deselected(items=[item for item in items if not asks_database(item)])
        items[:] = filter(asks_database, items)
    if CHROMIUM is None and not os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=LEFT_OUT))


def pytest_terminal_summary(terminalreporter):
    """Say loudly, at the end, which tests did not run for want of what they need."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for what, reason in (("BROWSER TESTS", LEFT_OUT), ("TESTS WITH REAL PAYLOADS", SAMPLES_ABSENT)):
        count = sum(reason in words for words in skipped)
        if count:
            line = f"{count} {what} WERE LEFT OUT. {reason}"
            terminalreporter.write_sep("!", line, red=True, bold=True)
