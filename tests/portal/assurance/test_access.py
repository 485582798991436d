"""Access reviews: who holds what, since when and why; attested by somebody else, or really revoked."""

import pytest

from portal.accounts import services as accounts
from portal.accounts.models import User
from portal.accounts.roles import has_role
from portal.assurance.enums import ItemState, Subject
from portal.assurance.models import Engagement
from portal.assurance.policy import Refused
from portal.assurance.selectors.review_room import Filters, room_of
from portal.assurance.services import deciding, populating, signing
from portal.assurance.services.holdings import Scope, held
from portal.audit.models import TrailRow
from portal.directory.models import EmergencyContact
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import NOON, make_contact, make_emergency_contact, make_system
from tests.factories.engagements import make_engagement
from tests.factories.reviews import DAY, item_about, make_access_review

pytestmark = pytest.mark.django_db
LATER = NOON + 2 * DAY


@pytest.fixture
def leila():
    return make_user("leila", roles=["security-lead"], first_name="Leila", last_name="Nasser")


@pytest.fixture
def kwame():
    return make_user("kwame", roles=["administrator"], first_name="Kwame", last_name="Mensah")


@pytest.fixture
def amara(kwame):
    user = make_user("amara", first_name="Amara", last_name="Okafor")
    accounts.grant(user, "responder", by=kwame, at=NOON - 30 * DAY, reason="She joins on call")
    return user


def state(item):
    return deciding.state_of(item)[0]


def revoke(review, item, by, **fields):
    values = {"words": "She moved to sales", "by": by, "at": LATER, "confirmed": True, **fields}
    return deciding.revoke(review, item, **values)


# The snapshot.


def test_each_role_of_each_person_is_an_item_with_its_story(amara, leila):
    review = make_access_review()
    item = item_about(review, amara)
    assert (item.title, item.about_name, item.subject) == ("Role Responder", "Amara Okafor", Subject.ROLE)
    assert (item.at, item.facts["by"], item.reason) == (NOON - 30 * DAY, "Kwame Mensah", "She joins on call")
    row = TrailRow.objects.get(pk=item.first_row)
    assert any("Responder" in (change.new or "") for change in row.differences)
    assert item.facts["last_sign_in"] is None


def test_a_role_given_again_is_told_by_the_last_time(amara, kwame, leila):
    accounts.withdraw(amara, "responder", by=kwame, at=NOON - 20 * DAY, reason="Leave")
    accounts.grant(amara, "responder", by=leila, at=NOON - 10 * DAY, reason="Back")
    item = item_about(make_access_review(), amara)
    assert (item.facts["by"], item.facts["why"]) == ("Leila Nasser", "Back")


def test_only_what_is_in_the_scope_is_reviewed(amara, kwame, leila):
    roles = {item.title for item in make_access_review(Scope(roles=("Responder",))).items.all()}
    assert roles == {"Role Responder"}
    with pytest.raises(Refused, match="Choose what"):
        make_access_review(Scope())


def test_accounts_superusers_contacts_and_engagements_can_be_in_the_scope(amara, leila):
    root = make_superuser("root")
    mail = make_system("mail", name="Mail Intake")
    make_emergency_contact(mail, make_contact("Amara Okafor", user=amara))
    auditor = make_user(roles=["auditor"])
    review = make_access_review(Scope(accounts=True, contacts=True, engagements=True))
    found = {(item.subject, item.about_id) for item in review.items.all()}
    assert {
        (Subject.ACCOUNT, amara.pk), (Subject.SUPERUSER, root.pk), (Subject.CONTACT, amara.pk),
        (Subject.ENGAGEMENT, auditor.pk),
    } <= found  # fmt: skip
    assert item_about(review, amara, "Primary").title.endswith("of Mail Intake")


def test_closed_accounts_hold_nothing(amara):
    accounts.deactivate(amara, by="test", at=NOON, reason="Left")
    assert not [one for one in held(Scope(roles=("Responder",), accounts=True), at=NOON) if one.about_id == amara.pk]


def test_the_snapshot_costs_the_same_however_many_people_there_are(django_assert_max_num_queries, kwame):
    scope = Scope(roles=("Responder",), accounts=True, contacts=True, engagements=True)
    for _ in range(10):
        make_user(roles=["responder"])
    with django_assert_max_num_queries(8):
        assert len(held(scope, at=NOON)) > 20


# Verdicts.


def test_what_is_in_order_is_attested_by_somebody_else(amara, leila):
    review = make_access_review()
    item = item_about(review, amara)
    deciding.attest(review, [item], by=leila, at=LATER)
    assert state(item) == ItemState.ATTESTED


def test_nobody_reviews_their_own_access(leila, kwame):
    review = make_access_review(Scope(roles=("Security lead",)))
    own = item_about(review, leila)
    with pytest.raises(Refused, match="your own access"):
        deciding.attest(review, [own], by=leila, at=LATER)
    with pytest.raises(Refused, match="your own access"):
        revoke(review, own, leila)
    assert has_role(User.objects.get(pk=leila.pk), "security-lead")


def test_revoking_really_takes_the_role_with_the_reason_and_its_evidence(amara, leila):
    review = make_access_review()
    item = item_about(review, amara)
    verdict = revoke(review, item, leila)
    assert not has_role(User.objects.get(pk=amara.pk), "responder")
    row = TrailRow.objects.get(pk=verdict.evidence_row)
    assert (row.model, row.object_id, row.actor_name) == ("accounts.user", str(amara.pk), "Leila Nasser")
    assert row.reason == f"{review.reference}: She moved to sales"
    assert any(change.field == "groups" and "Responder" in (change.old or "") for change in row.differences)
    assert state(item) == ItemState.REVOKED


def test_an_account_is_closed_an_engagement_ended_and_a_contact_removed(amara, leila, kwame):
    mail = make_system("mail")
    make_emergency_contact(mail, make_contact("Amara Okafor", user=amara))
    auditor = make_user(roles=["auditor"], engaged=False)
    make_engagement(auditor)
    review = make_access_review(Scope(accounts=True, contacts=True, engagements=True))
    for item in (
        item_about(review, amara, "Account"),
        item_about(review, amara, "of Mail"),
        item_about(review, auditor, "Engagement"),
    ):
        assert revoke(review, item, leila).evidence_row
    assert not User.objects.get(pk=amara.pk).is_active
    assert not EmergencyContact.objects.filter(system=mail).exists()
    assert Engagement.objects.get(auditor=auditor).revoked_by == "Leila Nasser"
    assert User.objects.get(pk=auditor.pk).get_all_permissions() == set()


def test_revoking_asks_for_a_confirmation_and_a_reason(amara, leila):
    review = make_access_review()
    item = item_about(review, amara)
    with pytest.raises(Refused, match="Confirm"):
        revoke(review, item, leila, confirmed=False)
    with pytest.raises(Refused, match="Say why it is revoked"):
        revoke(review, item, leila, words=" ")
    assert has_role(User.objects.get(pk=amara.pk), "responder")


def test_only_a_superuser_takes_something_from_a_superuser(leila):
    root, other = make_superuser("root"), make_superuser("other")
    review = make_access_review(Scope(accounts=True), reviewers=[root, other])
    item = item_about(review, root, "Superuser")
    with pytest.raises(Refused, match="Only a superuser"):
        revoke(review, item, leila)
    revoke(review, item, other)
    assert not User.objects.get(pk=root.pk).is_superuser


def test_the_last_administrator_is_not_taken_away(kwame, leila):
    review = make_access_review(Scope(roles=("Administrator",), accounts=True))
    with pytest.raises(Refused, match="Nobody could administer"):
        revoke(review, item_about(review, kwame, "Role"), leila)
    with pytest.raises(Refused, match="Nobody could administer"):
        revoke(review, item_about(review, kwame, "Account"), leila)
    make_user(roles=["administrator"])
    revoke(review, item_about(review, kwame, "Role"), leila)


def test_what_was_taken_meanwhile_is_shown_and_noted_as_gone(amara, leila, kwame):
    review = make_access_review()
    item = item_about(review, amara)
    with pytest.raises(Refused, match="still held"):
        deciding.note_gone(review, item, by=leila, at=LATER)
    accounts.withdraw(amara, "responder", by=kwame, at=NOON + DAY, reason="Moved")
    row = next(row for row in room_of(review, leila, Filters(), at=LATER).rows if row.item.pk == item.pk)
    assert row.lapsed
    assert row.may == ["note as gone"]
    for act in (lambda: deciding.attest(review, [item], by=leila, at=LATER), lambda: revoke(review, item, leila)):
        with pytest.raises(Refused, match="no longer held"):
            act()
    verdict = deciding.note_gone(review, item, by=leila, at=LATER)
    assert TrailRow.objects.get(pk=verdict.evidence_row).reason == "Moved"
    assert state(item) == ItemState.GONE


def test_what_was_given_meanwhile_is_shown_and_belongs_to_the_next_review(amara, leila, kwame):
    review = make_access_review()
    accounts.grant(amara, "manager", by=kwame, at=NOON + DAY, reason="Stands in")
    new = room_of(review, leila, Filters(), at=LATER).new
    assert [(one.title, one.about_name, one.granted.why) for one in new] == [
        ("Role Manager", "Amara Okafor", "Stands in")
    ]


def test_what_was_attested_can_still_be_revoked_until_it_is_signed(amara, leila):
    review = make_access_review(Scope(roles=("Responder",)))
    item = item_about(review, amara)
    deciding.attest(review, [item], by=leila, at=LATER)
    revoke(review, item, leila)
    signing.sign(review, statement="Seen", by=leila, at=LATER, confirmed=True)
    with pytest.raises(Refused, match="signed off"):
        revoke(review, item, leila)


def test_an_access_review_is_signed_with_its_facts_unaltered(amara, leila):
    review = make_access_review(Scope(roles=("Responder",)))
    deciding.attest(review, review.items.all(), by=leila, at=LATER)
    assert populating.altered(review) == []
    attestation = signing.sign(review, statement="Seen", by=leila, at=LATER, confirmed=True)
    assert attestation.counts == {"attested": review.items_count}


def test_a_role_is_not_revoked_by_somebody_who_may_not_review(amara, kwame):
    review = make_access_review(reviewer_roles=("Security lead",))
    with pytest.raises(Refused, match="Only its reviewers"):
        revoke(review, item_about(review, amara), kwame)
    assert has_role(User.objects.get(pk=amara.pk), "responder")
