from datetime import UTC, timedelta

import pytest

from portal.lib import clock


def test_the_process_clock_is_aware():
    assert clock.now().tzinfo is UTC


@pytest.mark.django_db
def test_the_database_says_the_moment_in_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        first = clock.database_now()
    assert first.tzinfo is UTC
    assert clock.database_now() >= first
    assert abs(clock.now() - first) < timedelta(seconds=5)


@pytest.mark.django_db
def test_the_database_clock_moves_inside_a_transaction(django_assert_num_queries):
    moments = {clock.database_now() for _ in range(200)}
    assert len(moments) > 1


@pytest.mark.django_db
def test_a_process_clock_that_is_ahead_shows(monkeypatch):
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=3))
    assert clock.offset_seconds() == pytest.approx(180, abs=5)
