"""The digests of a review can be counted again by anybody."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from portal.assurance import digesting
from portal.assurance.telling import Told, kind_of, summary

ROWS = st.lists(st.tuples(st.integers(), st.text(), st.one_of(st.none(), st.text())), max_size=4)


def told(**fields):
    values = {
        "action": "changed", "model": "directory.severity", "name": "SEV-3 Medium", "event": "", "fields": " target ",
        "root_model": "directory.severity", "root_id": "3", **fields,
    }  # fmt: skip
    return Told(**values)


def test_the_text_is_as_it_is_written_down():
    at = datetime(2026, 11, 17, 13, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert digesting.line([7, at, "Zoë", None, {"b": 1, "a": 2}]) == (
        '[7,"2026-11-17T12:00:00.000005Z","Zoë",null,{"a":2,"b":1}]'
    )
    assert digesting.of_lines(["a", "b"]) == hashlib.sha256(b"a\nb").hexdigest()
    assert digesting.of_population([(1, "x"), (2, "y")]) == hashlib.sha256(b"1 x\n2 y").hexdigest()


@given(ROWS, ROWS)
def test_other_rows_have_another_digest(first, second):
    assert (digesting.of_rows(first) == digesting.of_rows(second)) == (first == second)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_reads_the_same_in_every_zone(at):
    assert digesting.moment(at) == digesting.moment(at.replace(tzinfo=UTC))


def test_a_gesture_is_told_in_one_line():
    assert summary([told()]) == "Changed severity SEV-3 Medium: response time"
    assert summary([told(action="created", fields="")]) == "Added severity SEV-3 Medium"
    assert summary([told(event="Password changed", name="Amara", model="accounts.user")]) == (
        "Password changed: account Amara"
    )
    part = told(model="directory.severityclock", name="Resolve at SEV-3")
    assert summary([told(), part]) == "Changed severity SEV-3 Medium, 2 rows"
    other = told(root_id="4")
    assert summary([told(), other, part]) == "3 changes: 2 of severity, 1 of severity clock"
    assert kind_of("nonsense.model") == "nonsense.model"
    assert summary([told(model="gone.model", fields=" some_field ")]) == "Changed gone.model SEV-3 Medium: some field"
