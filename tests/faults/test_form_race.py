"""A form that is sent twice at the same moment makes one record."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from changes.models import Change
from maintenance.models import Plan, RecoveryPlan, Window
from portal.accounts.models import User
from portal.actions.models import ActionItem
from portal.lib import clock
from tests.factories.directory import make_contact, make_system
from tests.factories.maintenance import WHY, make_member

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.postgresql_only, pytest.mark.timeout(300),
]  # fmt: skip
TIMES = 5


def plan_of(number):
    return {
        "task": f"Rotate keys {number}", "frequency": "monthly", "every": 1, "basis": "fixed", "nth": 1, "weekday": 0,
        "anchor": "2026-12-01", "due_time": "12:00", "time_zone": "Europe/London", "shift": "none", "grace_days": 3,
        "reason": WHY,
    }  # fmt: skip


def window_of(_number):
    return {"title": "Mend the disk", "systems": [make_system().pk], "minutes": 60, "reason": WHY}


def item_of(_number):
    owner = make_contact("Amara Okafor")
    due = clock.now().date() + timedelta(days=9)
    return {"title": "Watch the queue", "kind": "corrective", "owner": owner.pk, "due_on": due.isoformat()}


def recovery_plan_of(number):
    maren = make_contact(f"Maren {number}")
    steps = {"step-TOTAL_FORMS": 1, "step-INITIAL_FORMS": 0, "step-0-text": "Load it", "step-0-minutes": "20"}
    return {
        "title": f"Database {number}", "system": make_system().pk, "owner": maren.pk, "manager": maren.pk,
        "every_months": 6, "step-0-recovers": "on", "reason": WHY, **steps,
    }  # fmt: skip


def change_of(number):
    return {"title": f"Mend the disk {number}", "type": "normal"}


@pytest.mark.parametrize(
    ("model", "address", "words_of"),
    [
        (Plan, "/maintenance/plans/new/", plan_of),
        (Window, "/maintenance/windows/new/open/", window_of),
        (ActionItem, "/actions/new/", item_of),
        (RecoveryPlan, "/recovery/plans/new/", recovery_plan_of),
        (Change, "/changes/draft/", change_of),
    ],
)
def test_a_form_that_is_sent_twice_at_once_makes_one_record(together, model, address, words_of):
    user = User.objects.get(pk=make_member("Maren Holt", "manager")[0].pk)
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(user)
    before = model.objects.count()
    for number in range(1, TIMES + 1):
        words = {"once": str(uuid.uuid4()), **words_of(number)}
        answers = together(*[partial(client.post, address, words) for client in clients])
        assert [answer.status_code for answer in answers] == [302, 302]
        assert len({answer.url for answer in answers}) == 1
        assert model.objects.count() == before + number


def test_a_file_that_is_taken_twice_at_once_writes_each_plan_once(together):
    user = User.objects.get(pk=make_member("Maren Holt", "manager")[0].pk)
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(user)
    for number in range(TIMES):
        content = f"task,first date\nRotate keys {number},2026-12-01\n".encode()
        words = {"once": str(uuid.uuid4()), "reason": WHY}
        files = [SimpleUploadedFile("plans.csv", content) for _ in clients]
        together(*[
            partial(client.post, "/maintenance/plans/import/", {**words, "file": file})
            for client, file in zip(clients, files, strict=True)
        ])  # fmt: skip
        assert Plan.objects.filter(task=f"Rotate keys {number}").count() == 1
