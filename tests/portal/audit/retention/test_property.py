"""Whatever rows lose their words, the chain verifies, and whatever else is done to the record is still found."""

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from portal.audit import retention
from portal.audit.actor import acting
from portal.audit.models import Seal, TrailRow
from portal.audit.sealing import seal
from portal.audit.verifying import Kind, verify
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_system, make_team
from tests.factories.incidents import make_incident
from tests.factories.retention import ASKED_AT, CONFIRMED_AT, WHY
from tests.factories.tampering import tampered

# Each is done to one row whose words stand: statement and the kinds that may name it.
DONE = {
    "words edited": ("UPDATE audit_trail SET reason = 'A better reason' WHERE id = %s", {Kind.EDITED}),
    "time changed": ("UPDATE audit_trail SET at = '2001-01-01 00:00:00+00:00' WHERE id = %s", {Kind.EDITED}),
    "row removed": ("DELETE FROM audit_trail WHERE id = %s", {Kind.REMOVED, Kind.CUT}),
    "salt destroyed": (
        "UPDATE audit_seal SET salt = NULL WHERE source = 'audit.trailrow' AND row_id = %s",
        {Kind.TOMBSTONE, Kind.SEAL_EDITED},
    ),
    "seal removed": (
        "DELETE FROM audit_seal WHERE source = 'audit.trailrow' AND row_id = %s",
        {Kind.SEAL_REMOVED, Kind.CUT},
    ),
}


class TombstoneTests(TestCase):
    """The record is written once for all examples; each undoes what it did."""

    @classmethod
    def setUpTestData(cls):
        """Write a record of some of everything and seal it."""
        with acting(by="test", reason="A test", origin="command"):
            cls.first, cls.second = make_user("first"), make_user("second")
            seal(at=NOON)
            begun = Seal.objects.count()
            for number in range(3):
                contact = make_contact(f"Person {number}")
                make_team(f"team-{number}", members=[contact])
                make_incident(systems=[make_system()], at=NOON)
            seal(at=NOON)
            cls.positions = list(Seal.objects.filter(position__gt=begun).values_list("position", flat=True))

    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_any_rows_may_lose_their_words_and_all_else_is_found(self, data):
        chosen = data.draw(st.sets(st.sampled_from(self.positions), min_size=1, max_size=30))
        statement, kinds = DONE[data.draw(st.sampled_from(sorted(DONE)))]
        with transaction.atomic():
            request = retention.ask(positions=chosen, by=self.first, at=ASKED_AT, reason=WHY)
            retention.confirm(request, by=self.second, at=CONFIRMED_AT)
            seal(at=CONFIRMED_AT)
            report = verify(at=CONFIRMED_AT)
            assert report.is_clean, [finding.sentence for finding in report.findings]
            assert report.tombstones == len(chosen)
            standing = Seal.objects.filter(source="audit.trailrow", salt__isnull=False).exclude(position__in=chosen)
            ids = list(standing.order_by("position").values_list("row_id", flat=True))
            row = TrailRow.objects.get(pk=data.draw(st.sampled_from(ids)))
            with tampered() as sql:
                sql(statement, row.pk)
                findings = verify(at=CONFIRMED_AT).findings
            assert {finding.kind for finding in findings} & kinds, [finding.sentence for finding in findings]
            assert row.pk in {finding.row_id for finding in findings}
            transaction.set_rollback(True)
