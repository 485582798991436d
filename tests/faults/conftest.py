"""The fault tests need real processes on a real server. Where there is none, their absence is said loudly."""

import pytest
from django.db import connection

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


def pytest_configure(config):
    config.addinivalue_line("markers", "postgresql_only: left out, loudly, on any other database")


def pytest_terminal_summary(terminalreporter):
    left_out = [report for report in terminalreporter.stats.get("skipped", []) if LEFT_OUT in str(report.longrepr)]
    for report in left_out:
        terminalreporter.write_sep("!", f"{report.nodeid} WAS LEFT OUT: {LEFT_OUT}", red=True, bold=True)
