"""Many rows at once hold what they were given, on either database: shared values, own values, and none twice."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DataError, Error, connection, transaction

from portal.lib.inserting import insert_many, insert_values
from portal.notify.models import Message
from portal.records.models import Note
from tests.factories.directory import NOON

pytestmark = pytest.mark.django_db
AWKWARD = "“quoted” it's \\ {x} %s \n\t ☎ \U0001f4df"


def note(number=0, **fields):
    subject_type = ContentType.objects.get_for_model(Note)
    shared = {"subject_type": subject_type, "kind": "test", "event_at": NOON, "recorded_at": NOON, "actor_name": "Ada"}
    return Note(**shared | {"subject_id": number, "text": f"line {number}", "gesture": uuid.uuid4()} | fields)


def message(key, **fields):
    moments = dict.fromkeys(["created_at", "due_at", "next_attempt_at"], NOON)
    return moments | {"idempotency_key": key, "kind": "test", "lane": "email", "title": "t", "body": "b"} | fields


@pytest.mark.parametrize("count", [1, 2, 50])
def test_rows_hold_what_they_were_given(count):
    rows = [
        note(
            number,
            event_at=NOON - timedelta(microseconds=number),
            actor_user_id=number or None,
            text=f"{AWKWARD}{number}",
            data={"number": number, "deep": [None, True, {"text": AWKWARD}]},
        )
        for number in range(count)
    ]
    insert_many(rows)
    names = [field.attname for field in Note._meta.concrete_fields if not field.primary_key]
    given = [{name: getattr(row, name) for name in names} for row in rows]
    assert list(Note.objects.filter(kind="test").order_by("pk").values(*names)) == given


def test_nothing_is_inserted_for_nothing():
    insert_many([])
    insert_values(Message, [])
    assert not Message.objects.exists()


def test_columns_that_are_not_named_get_their_defaults():
    insert_values(Message, [message("a"), message("b", lane="ntfy")])
    assert set(Message.objects.values_list("lane", "state", "attempts", "urgent", "error", "contact")) == {
        ("email", "pending", 0, False, "", None),
        ("ntfy", "pending", 0, False, "", None),
    }


def test_keys_that_stand_are_left_out_when_asked():
    insert_values(Message, [message("a", title="first")])
    insert_values(Message, [message("a", title="again"), message("b"), message("b")], ignore_conflicts=True)
    assert sorted(Message.objects.values_list("idempotency_key", "title")) == [("a", "first"), ("b", "t")]
    with pytest.raises(Error), transaction.atomic():
        insert_values(Message, [message("a"), message("c")])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no lengths")
@pytest.mark.parametrize("rows", [["x" * 41], ["x" * 41] * 2, ["x" * 41, "y"]], ids=["one", "alike", "different"])
def test_a_text_that_is_too_long_is_refused_and_never_cut(rows):
    with pytest.raises(DataError), transaction.atomic():
        insert_many([note(kind=text) for text in rows])
