"""The page of retention, the removed words on the pages of the trail, and holds and seals in the admin."""

import pytest
from django.urls import reverse

from portal.audit import anchors, retention
from portal.audit.actor import acting
from portal.audit.models import Anchor, LegalHold, SealBatch, TrailRow, Verification
from portal.audit.sealing import seal
from portal.audit.verifying import run
from portal.lib import clock
from tests.factories.accounts import confirm, make_superuser, make_user
from tests.factories.directory import NOON, make_contact
from tests.factories.retention import ask, make_tombstone

pytestmark = pytest.mark.django_db
PAGE = "/audit/retention/"


@pytest.fixture
def administrator(client):
    user = make_user("amara", roles=["administrator"], first_name="Amara", last_name="Okafor")
    client.force_login(user)
    return user


@pytest.fixture
def contact():
    with acting(by="test", at=NOON):
        found = make_contact("Giovanna Verdi", reachable=False)
        found.name = "Former colleague"
        found.save()
    seal(at=NOON)
    return found


def page(client, address=PAGE):
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return " ".join(answer.content.decode().split())


def test_the_rule_stands_with_its_figures(client, administrator, contact):
    html = page(client)
    assert "Nothing is pruned." in html
    assert "No hold stands" in html
    assert "No word was ever removed" in html
    assert f"positions 1 to {SealBatch.objects.latest('pk').last:,} without a gap" in html


def test_it_says_when_by_whom_why_and_how_many_rows(client, administrator, contact):
    made = make_tombstone(contact, administrator)
    html = page(client)
    assert f"Tombstone {made.pk}: the words of 2 rows" in html
    assert f"“{made.request.reason}”" in html
    assert f"Asked for by {administrator}" in html
    assert f"confirmed by {made.confirmed_by}" in html
    rows = TrailRow.objects.filter(model="directory.contact", object_id=str(contact.pk)).order_by("pk")[:2]
    for row in rows:
        assert f"/audit/rows/?id={row.pk}" in html


def test_requests_wait_and_run_out(client, administrator, contact):
    request = ask(contact, administrator)
    html = page(client)
    assert ("Ran out" in html) is (clock.now() - request.asked_at > retention.REQUEST_LASTS)
    assert f"Request {request.pk}: 2 rows" in html


def test_holds_that_stand_and_were_lifted_are_listed(client, administrator, contact):
    hold = retention.place(title="Case 7", by=administrator, at=NOON, reason="Dispute")
    assert "Covers the whole record" in page(client)
    retention.lift(hold, by=administrator, at=NOON, reason="Over")
    assert "Covered the whole record" in page(client)


def test_whoever_may_not_read_the_trail_does_not_read_this(client, contact):
    client.force_login(make_user(roles=[]))
    assert client.get(PAGE).status_code == 403
    client.logout()
    assert client.get(PAGE).status_code == 302


def test_an_auditor_reads_it_within_the_engagement(client, contact):
    made = make_tombstone(contact)
    client.force_login(make_user(roles=["auditor"]))
    assert f"Tombstone {made.pk}" in page(client)
    client.force_login(make_user(roles=["auditor"], engaged=False))
    assert client.get(PAGE).status_code == 403


def test_its_queries_do_not_grow_with_what_was_removed(client, administrator, django_assert_max_num_queries):
    for number in range(3):
        found = make_contact(f"Person {number}", reachable=False)
        seal(at=NOON)
        make_tombstone(found)
    with django_assert_max_num_queries(30):
        page(client)


def test_the_story_of_a_record_says_kindly_what_is_gone(client, administrator, contact):
    made = make_tombstone(contact)
    html = page(client, f"/audit/directory.contact/{contact.pk}/")
    assert "Giovanna" not in html
    assert "The words were removed on 17 November 2026 by law" in html
    assert f'href="/audit/retention/#tombstone-{made.pk}"' in html


def test_the_trail_and_the_rows_of_a_gesture_say_so_too(client, administrator, contact):
    made = make_tombstone(contact)
    assert f"by law, tombstone {made.pk}" in page(client, f"/audit/?model=directory.contact&object={contact.pk}")
    row = TrailRow.objects.filter(model="directory.contact", object_id=str(contact.pk)).earliest("pk")
    assert f"tombstone {made.pk}</a>" in page(client, f"/audit/rows/?id={row.pk}")


def test_a_record_as_of_a_moment_before_says_so_too(client, administrator, contact):
    make_tombstone(contact)
    row = TrailRow.objects.filter(model="directory.contact", object_id=str(contact.pk)).earliest("pk")
    html = page(client, f"/audit/as-of/directory.contact/{contact.pk}/?at={row.at:%Y-%m-%dT%H:%M:%S.%fZ}")
    assert "Giovanna" not in html
    assert "The words were removed on" in html


def test_the_admin_history_of_a_record_shows_what_is_left(client, administrator, contact):
    make_tombstone(contact)
    html = page(client, reverse("admin:directory_contact_history", args=[contact.pk]))
    assert "Giovanna" not in html
    assert "[removed]" in html


# The admin.


def place(client, **fields):
    given = {"title": "Case 7", "model": "", "object_id": "", "change_reason": "Dispute", **fields}
    return client.post(reverse("admin:audit_legalhold_add"), given)


def test_a_hold_is_placed_after_a_confirmation(client, administrator, contact):
    assert place(client).url.startswith("/confirm/")
    confirm(client)
    assert place(client, model="directory.contact", object_id=str(contact.pk)).status_code == 302
    hold = LegalHold.objects.get()
    assert (hold.placed_by, hold.model, hold.object_id) == (str(administrator), "directory.contact", str(contact.pk))
    assert TrailRow.objects.get(model="audit.legalhold").reason == "Dispute"


def test_a_hold_needs_its_reason_and_an_object_that_is_known(client, administrator):
    confirm(client)
    assert place(client, change_reason="").status_code in {200, 422}
    answer = place(client, model="directory.contact", object_id="999999")
    assert "The record holds no such rows" in answer.content.decode()
    assert not LegalHold.objects.exists()


def test_a_hold_is_lifted_by_its_button_and_never_changed(client, administrator):
    hold = retention.place(title="Case 7", by=administrator, at=NOON, reason="Dispute")
    address, lift = (reverse(f"admin:audit_legalhold_{verb}", args=[hold.pk]) for verb in ("change", "lift"))
    assert "Lift hold" in page(client, address)
    assert client.post(address, {"title": "Other"}).status_code == 403
    assert client.get(lift).url.startswith("/confirm/")
    confirm(client)
    assert client.get(lift).status_code == 200
    assert client.post(lift, {"change_reason": ""}).status_code == 422
    assert client.post(lift, {"change_reason": "Settled"}).url == address
    hold.refresh_from_db()
    assert (hold.stands, hold.lifted_by) == (False, str(administrator))
    assert "Lift hold" not in page(client, address)


def test_whoever_only_reads_holds_neither_places_nor_lifts(client):
    hold = retention.place(title="Case 7", by=make_superuser(), at=NOON, reason="Dispute")
    client.force_login(make_user(roles=["manager"]))
    confirm(client)
    assert place(client).status_code == 403
    assert client.post(reverse("admin:audit_legalhold_lift", args=[hold.pk]), {"change_reason": "x"}).status_code == 403
    assert "Lift hold" not in page(client, reverse("admin:audit_legalhold_change", args=[hold.pk]))


@pytest.mark.parametrize(
    "name", ["tombstonerequest", "tombstone", "anchor", "anchordelivery", "verification", "sealbatch"]
)
def test_what_proves_the_record_is_read_in_the_admin_and_never_changed(client, administrator, contact, name):
    make_tombstone(contact)
    anchors.anchor(at=NOON)
    run(now=lambda: NOON)
    lists = page(client, reverse(f"admin:audit_{name}_changelist"))
    assert "Add " not in lists.split("<main")[1]
    model = {"anchor": Anchor, "verification": Verification, "sealbatch": SealBatch}.get(name)
    if model is not None:
        address = reverse(f"admin:audit_{name}_change", args=[model.objects.latest("pk").pk])
        page(client, address)
        assert client.post(address, {}).status_code == 403
