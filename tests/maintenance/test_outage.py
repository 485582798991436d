"""After an outage of a day over five hundred due reminders each level is told once, and each person in one digest."""

from datetime import timedelta

import pytest
from django.db.models import QuerySet

from maintenance import sweeps
from maintenance.models import Occurrence, Plan
from maintenance.services import open_many
from maintenance.services.common import NOTICE
from portal.audit.actor import acting
from portal.deadlines.models import Deadline, DeadlineState
from portal.notify.models import Message
from tests.factories.directory import NOON
from tests.factories.maintenance import WHY, make_member, make_plan

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
PLANS = 500


def test_five_hundred_reminders_end_in_one_digest_for_each_person_and_each_level_once():
    with acting(by="system: test", reason=WHY, at=NOON):
        owners = [make_member(name)[1] for name in ("Amara Okafor", "Joel Brandt")]
        _, maren = make_member("Maren Holt", "manager")
        first = make_plan(owner=owners[0], manager=maren, grace_days=0)
        columns = {f.attname: getattr(first, f.attname) for f in Plan._meta.concrete_fields if not f.primary_key}
        rows = [
            Plan(**{**columns, "reference": f"MNT-{n:06d}", "owner_id": owners[n % 2].pk, "task": f"Task {n}"})
            for n in range(900_001, 900_000 + PLANS)
        ]
        QuerySet(Plan).bulk_create(rows)
        open_many(Plan.objects.exclude(pk=first.pk), at=NOON)
        due = Occurrence.objects.order_by("due_at").last().due_at
        for at in (due + DAY, due + DAY + timedelta(seconds=2)):
            sweeps.remind(at=at)
    for contact in (*owners, maren):
        inbox = Message.objects.filter(contact=contact, lane="inbox", kind="maintenance_digest")
        assert inbox.count() == 1, contact
    fired = Deadline.objects.filter(kind=NOTICE, state=DeadlineState.FIRED)
    for level in ("due", "manager", "team"):
        of_level = fired.filter(key=level)
        assert of_level.count() == of_level.values("subject_id").distinct().count() == PLANS, level
