"""The fault tests need real processes on a real server. Where there is none, their absence is said loudly."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, connections

from portal.audit.actor import acting
from portal.lib.refusals import Refusal

LEFT_OUT = "it needs PostgreSQL (set DATABASE_URL)"


@pytest.fixture(autouse=True)
def _on_postgresql(request):
    if request.node.get_closest_marker("postgresql_only") and connection.vendor != "postgresql":
        pytest.skip(LEFT_OUT)


@pytest.fixture
def quick_commits(request):
    """Let the server answer before its disk does: what a killed client loses is not what a power cut loses."""
    request.getfixturevalue("transactional_db")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {connection.settings_dict['NAME']} SET synchronous_commit = off")
            cursor.execute("SET synchronous_commit = off")


@pytest.fixture
def together(quick_commits):
    """`together(*acts)`: do up to four things at once, each on a connection of its own.

    It returns what each returned, or the sentence of its refusal, and raises whatever else one of them raised.
    """
    with ThreadPoolExecutor(4) as pool:

        def at_once(*acts):
            start = threading.Barrier(len(acts))

            def run(act):
                with acting(by="system: race", origin="task", reason="A race"):
                    start.wait(30)
                    try:
                        return act()
                    except Refusal as refused:
                        return str(refused)

            return [done.result(60) for done in [pool.submit(run, act) for act in acts]]

        yield at_once
        at_once(*[connections.close_all] * 4)


@contextmanager
def nursery(**variables):
    """Yield a function that starts a process of a role in the test's database and returns its id; all end with it."""
    place = connection.settings_dict
    if connection.vendor == "sqlite":
        database = {"FAULTS_SQLITE": str(place["NAME"])}
    else:
        server = f"{place['USER']}:{place['PASSWORD']}@{place['HOST']}:{place['PORT'] or 5432}"
        database = {"DATABASE_URL": f"postgres://{server}/{place['NAME']}"}
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "PYTHONWARNINGS": "ignore",
        **database,
        **variables,
    }
    mother = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.nursery"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=Path(__file__).parents[2],
        text=True,
    )

    def start(role):
        mother.stdin.write(f"{role}\n")
        mother.stdin.flush()
        return int(mother.stdout.readline())

    with mother:
        yield start
        mother.stdin.close()
        mother.wait(20)


def pytest_configure(config):
    config.addinivalue_line("markers", "postgresql_only: left out, loudly, on any other database")


def pytest_terminal_summary(terminalreporter):
    left_out = [report for report in terminalreporter.stats.get("skipped", []) if LEFT_OUT in str(report.longrepr)]
    for report in left_out:
        terminalreporter.write_sep("!", f"{report.nodeid} WAS LEFT OUT: {LEFT_OUT}", red=True, bold=True)
