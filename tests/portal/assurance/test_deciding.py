"""Reviews of privileged changes: a frozen population, a verdict on each item, and nobody on their own."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from portal.assurance.enums import ItemState, ReviewState
from portal.assurance.models import Attestation, Review, ReviewItem, Verdict
from portal.assurance.policy import Refused
from portal.assurance.services import deciding, populating, signing
from portal.audit.actor import acting
from portal.audit.enums import Action
from portal.audit.facts import AppendOnly
from portal.audit.guards import lifted
from portal.audit.models import TrailRow
from portal.audit.trail import record
from portal.directory.models import Team
from portal.notify.models import Message
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import NOON, make_contact
from tests.factories.reviews import DAY, change, item_about, make_review

pytestmark = pytest.mark.django_db
LATER = NOON + 2 * DAY


@pytest.fixture
def kwame():
    return make_user("kwame", roles=["administrator"], first_name="Kwame", last_name="Mensah")


@pytest.fixture
def leila():
    return make_user("leila", roles=["security-lead"], first_name="Leila", last_name="Nasser")


@pytest.fixture
def hannah():
    return make_user("hannah", roles=["manager"], first_name="Hannah", last_name="Whitcombe")


def state(item):
    return deciding.state_of(item)[0]


def question(review, item, by, **words):
    return deciding.question(review, item, words=words.get("words", "Why so early?"), by=by, at=LATER)


# What a review is made of.


def test_each_gesture_of_the_period_is_one_item(kwame):
    change(at=NOON - DAY)
    change(kwame, times=3)
    change(at=NOON + DAY / 2)
    with acting(by=kwame, at=NOON + timedelta(hours=1), reason="Both at once", alone=True):
        for team in change(kwame, at=NOON + DAY / 2 - timedelta(minutes=1)):
            team.name = "Another"
            team.save()
    review = make_review()
    items = list(review.items.all())
    assert len(items) == review.items_count == 5
    assert [item.number for item in items] == [1, 2, 3, 4, 5]
    assert {item.about_name for item in items} == {"Kwame Mensah"}
    assert review.rows == 5
    assert (review.first_row, review.last_row) == (items[0].first_row, max(item.last_row for item in items))


def test_rows_of_one_gesture_are_one_item_with_a_summary(kwame):
    with acting(by=kwame, at=NOON, reason="A new team", alone=True):
        team = Team.objects.create(slug="night", name="Night")
        team.name = "Night desk"
        team.save()
    [item] = make_review().items.all()
    assert item.rows == 2
    assert item.reason == "A new team"
    assert item.title == "Added team Night, 2 rows"


def test_what_only_reads_or_decides_is_no_change(kwame):
    team = change(kwame)[0]
    with acting(by=kwame, at=NOON, reason="Looked", alone=True):
        record(Action.READ, event="Opened", subject=team)
        record(Action.DECIDED, event="Decided", subject=team)
        record(Action.SIGNED_IN, event="Signed in", subject=kwame)
    assert make_review().items_count == 1


def test_a_period_without_changes_is_signed_as_that(leila):
    review = make_review()
    assert review.items_count == 0
    signing.sign(review, statement="Nothing was changed.", by=leila, at=LATER, confirmed=True)
    assert Review.objects.get(pk=review.pk).state == ReviewState.SIGNED


def test_what_is_told_late_belongs_to_the_next_review(kwame):
    change(kwame, at=NOON)
    first = make_review()
    change(kwame, at=NOON + timedelta(minutes=5))  # told only now
    change(kwame, at=NOON + DAY)
    second = make_review(period_from=NOON + DAY / 2, period_until=NOON + 2 * DAY, at=NOON + 3 * DAY)
    assert first.items_count == 1
    assert [item.facts["late"] for item in second.items.filter(about_id=kwame.pk)] == [True, False]
    assert second.items.exclude(about_id=kwame.pk).get().title.startswith("Added review")  # reviews are reviewed too
    third = make_review(period_from=NOON + 2 * DAY, period_until=NOON + 3 * DAY, at=NOON + 4 * DAY)
    assert not any(item.facts["late"] for item in third.items.all())


def test_a_review_needs_a_past_period_reviewers_a_reason_and_time():
    with pytest.raises(Refused, match="end after it starts"):
        make_review(period_until=NOON - DAY)
    with pytest.raises(Refused, match="not over yet"):
        make_review(at=NOON)
    with pytest.raises(Refused, match="Name somebody"):
        make_review(reviewer_roles=())
    with pytest.raises(Refused, match="may not review"):
        make_review(reviewer_roles=["Responder"])
    with pytest.raises(Refused, match="may not review"):
        make_review(reviewers=[make_user(roles=["responder"])])
    with pytest.raises(Refused, match="Say why"):
        make_review(reason=" ")
    with pytest.raises(Refused, match="has passed"):
        make_review(due_at=NOON)


def test_opening_tells_the_reviewers_and_writes_down_when_it_is_due(leila):
    contact = make_contact("Leila Nasser", user=leila)
    review = make_review()
    told = Message.objects.filter(kind="review_opened", contact=contact, lane="inbox").get()
    assert review.title in told.title
    assert review.reference in told.url_path


# Verdicts.


def test_a_reviewer_attests_what_others_changed(kwame, leila):
    change(kwame, times=3)
    review = make_review()
    assert deciding.attest(review, review.items.all(), by=leila, at=LATER) == 3
    assert {verdict.decided_by for verdict in Verdict.objects.all()} == {"Leila Nasser"}
    assert all(state(item) == ItemState.ATTESTED for item in review.items.all())
    row = TrailRow.objects.filter(action="decided").get()
    assert row.event == "Attested 3 of 3 items"


def test_ones_own_changes_are_left_to_others(kwame, leila, hannah):
    change(kwame)
    change(leila)
    review = make_review()
    assert deciding.attest(review, review.items.all(), by=leila, at=LATER) == 1
    own = item_about(review, leila)
    with pytest.raises(Refused, match="You made this change yourself"):
        deciding.attest(review, [own], by=leila, at=LATER)
    with pytest.raises(Refused, match="You made this change yourself"):
        question(review, own, leila)
    assert deciding.attest(review, [own], by=hannah, at=LATER) == 1


def test_even_a_superuser_does_not_review_their_own(kwame):
    root = make_superuser("root")
    change(root)
    review = make_review(reviewers=[root])
    with pytest.raises(Refused, match="yourself"):
        deciding.attest(review, review.items.all(), by=root, at=LATER)


def test_only_its_reviewers_decide(kwame, leila):
    change(kwame)
    review = make_review(reviewers=[leila], reviewer_roles=())
    item = review.items.get()
    for other in (kwame, make_user(roles=["manager"]), make_user(roles=["responder"]), "system: reviews"):
        with pytest.raises(Refused, match=r"reviewers decide|closed"):
            deciding.attest(review, [item], by=other, at=LATER)
    leila.is_active = False
    leila.save()
    with pytest.raises(Refused, match="closed"):
        deciding.attest(review, [item], by=leila, at=LATER)


def test_a_question_goes_to_whoever_made_the_change_who_answers(kwame, leila):
    contact, asker = make_contact("Kwame Mensah", user=kwame), make_contact("Leila Nasser", user=leila)
    change(kwame)
    review = make_review()
    item = review.items.get()
    question(review, item, leila, words="Who agreed to it?")
    told = Message.objects.filter(kind="review_question", contact=contact, lane="inbox").get()
    assert "Who agreed to it?" in told.body
    assert told.url_path == f"/audit/reviews/{review.reference}/items/1/answer/"
    with pytest.raises(Refused, match="Only they answer"):
        deciding.answer(review, item, words="Me", by=leila, at=LATER)
    deciding.answer(review, item, words="The service review did.", by=kwame, at=LATER)
    assert Message.objects.filter(kind="review_answer", contact=asker, lane="inbox").exists()
    deciding.settle(review, item, words="Minutes of 13 November, item 4.", by=leila, at=LATER)
    assert state(item) == ItemState.SETTLED
    assert [verdict.state for verdict in item.verdicts.all()] == ["questioned", "answered", "settled"]


def test_a_question_and_its_answer_need_words(kwame, leila):
    change(kwame)
    review = make_review()
    item = review.items.get()
    with pytest.raises(Refused, match="Say what you want to know"):
        question(review, item, leila, words="  ")
    question(review, item, leila)
    with pytest.raises(Refused, match="Answer in a sentence"):
        deciding.answer(review, item, words="", by=kwame, at=LATER)
    with pytest.raises(Refused, match="what settles it"):
        deciding.settle(review, item, words="", by=leila, at=LATER)
    with pytest.raises(Refused, match="what is to be done"):
        deciding.follow_up(review, item, words="", by=leila, at=LATER)


def test_what_no_account_did_is_asked_of_the_administrators(kwame, leila, hannah):
    contact = make_contact("Kwame Mensah", user=kwame)
    change("command: import_runbook by root@host")
    review = make_review()
    item = review.items.get()
    question(review, item, leila)
    assert Message.objects.filter(kind="review_question", contact=contact).exists()
    with pytest.raises(Refused, match="administrators"):
        deciding.answer(review, item, words="x", by=hannah, at=LATER)
    deciding.answer(review, item, words="I ran it.", by=kwame, at=LATER)
    assert state(item) == ItemState.ANSWERED


def test_a_question_of_somebody_who_left_is_settled_without_them(kwame, leila):
    change(kwame)
    review = make_review()
    item = review.items.get()
    question(review, item, leila)
    kwame.is_active = False
    kwame.save()
    deciding.follow_up(review, item, words="Hannah looks into it.", by=leila, at=LATER)
    assert state(item) == ItemState.FOLLOWED_UP


def test_a_verdict_that_does_not_fit_is_refused_with_its_sentence(kwame, leila, hannah):
    change(kwame)
    review = make_review()
    item = review.items.get()
    with pytest.raises(Refused, match="Nobody has asked"):
        deciding.answer(review, item, words="x", by=kwame, at=LATER)
    question(review, item, leila)
    with pytest.raises(Refused, match="It is questioned"):
        deciding.attest(review, [item], by=hannah, at=LATER)
    deciding.settle(review, item, words="Fine", by=hannah, at=LATER)
    with pytest.raises(Refused, match="settled already"):
        deciding.attest(review, [item], by=leila, at=LATER)


# Signing.


def decide_all(review, by):
    deciding.attest(review, review.items.all(), by=by, at=LATER)


def test_a_review_is_signed_once_everything_is_decided(kwame, leila):
    change(kwame, times=2)
    review = make_review()
    with pytest.raises(Refused, match="2 of 2 items are not decided"):
        signing.sign(review, statement="All seen", by=leila, at=LATER, confirmed=True)
    decide_all(review, leila)
    attestation = signing.sign(review, statement=" All seen ", by=leila, at=LATER, confirmed=True)
    review.refresh_from_db()
    assert (review.state, review.signed_by, review.signed_at) == (ReviewState.SIGNED, "Leila Nasser", LATER)
    assert attestation.statement == "All seen"
    assert attestation.population == review.population
    assert attestation.counts == {"attested": 2}
    row = TrailRow.objects.filter(model="assurance.review", fields__contains=" signed_by ").get()
    assert row.privileged
    assert row.reason == "All seen"


def test_the_digest_is_of_exactly_what_was_attested(kwame, leila):
    change(kwame, times=2)
    review = make_review()
    decide_all(review, leila)
    attestation = signing.sign(review, statement="All seen", by=leila, at=LATER, confirmed=True)
    verdicts = signing.last_verdicts(review)
    assert signing.digest_of(attestation, review, verdicts) == attestation.digest
    attestation.statement = "All seen, almost"
    assert signing.digest_of(attestation, review, verdicts) != attestation.digest
    attestation.statement = "All seen"
    first = next(iter(verdicts.values()))
    first.words = "Another word"
    assert signing.digest_of(attestation, review, verdicts) != attestation.digest


def test_signing_asks_for_a_confirmation_a_statement_and_a_reviewer(kwame, leila):
    change(kwame)
    review = make_review()
    decide_all(review, leila)
    with pytest.raises(Refused, match="Confirm that it is you"):
        signing.sign(review, statement="x", by=leila, at=LATER, confirmed=False)
    with pytest.raises(Refused, match="what you attest"):
        signing.sign(review, statement=" ", by=leila, at=LATER, confirmed=True)
    with pytest.raises(Refused, match="Only its reviewers"):
        signing.sign(review, statement="x", by=make_user(roles=["responder"]), at=LATER, confirmed=True)


def test_what_was_signed_never_changes(kwame, leila):
    change(kwame)
    review = make_review()
    item = review.items.get()
    decide_all(review, leila)
    attestation = signing.sign(review, statement="All seen", by=leila, at=LATER, confirmed=True)
    for act in (
        lambda: question(review, item, leila),
        lambda: decide_all(review, leila),
        lambda: signing.sign(review, statement="Again", by=leila, at=LATER, confirmed=True),
        lambda: signing.call_off(review, by=leila, at=LATER, reason="x"),
        lambda: signing.hand_over(
            review, reviewers=[leila], reviewer_roles=(), due_at=LATER + DAY, by=leila, at=LATER, reason="x"
        ),
    ):
        with pytest.raises(Refused, match="signed off"):
            act()
    attestation.statement = "Something else"
    with pytest.raises(AppendOnly):
        attestation.save()
    with pytest.raises(AppendOnly):
        ReviewItem.objects.filter(review=review).delete()


def test_a_trail_that_no_longer_says_the_same_is_not_signed(kwame, leila):
    change(kwame, times=2)
    review = make_review()
    decide_all(review, leila)
    assert populating.altered(review) == []
    with lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_trail SET reason = 'Nothing' WHERE id = %s", [review.first_row])
    assert populating.altered(review) == [1]
    with pytest.raises(Refused, match="1 items differ"):
        signing.sign(review, statement="All seen", by=leila, at=LATER, confirmed=True)


def test_a_row_put_into_the_period_or_taken_from_it_is_noticed(kwame, leila):
    change(kwame, times=3)
    review = make_review()
    with lifted(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_trail WHERE id = %s", [review.last_row])
    assert populating.altered(review) == [3]


# How a review ends otherwise.


def test_a_review_is_called_off_with_a_reason(kwame, leila):
    change(kwame)
    review = make_review()
    with pytest.raises(Refused, match="Say why"):
        signing.call_off(review, by=leila, at=LATER, reason="")
    signing.call_off(review, by=leila, at=LATER, reason="Opened twice")
    with pytest.raises(Refused, match="called off"):
        decide_all(review, leila)


def test_a_review_is_handed_over(kwame, leila, hannah):
    make_contact("Hannah Whitcombe", user=hannah)
    change(kwame)
    review = make_review(reviewers=[leila], reviewer_roles=())
    with pytest.raises(Refused, match="Only its reviewers"):
        decide_all(review, hannah)
    signing.hand_over(
        review, reviewers=[hannah], reviewer_roles=(), due_at=LATER + DAY, by=leila, at=LATER, reason="Leave"
    )
    assert Message.objects.filter(kind="review_opened", contact__user=hannah).exists()
    decide_all(review, hannah)
    with pytest.raises(Refused, match="Only its reviewers"):
        signing.sign(review, statement="x", by=leila, at=LATER, confirmed=True)


# What the database refuses by itself.


def verdict(item, by, **fields):
    values = {
        "review_id": item.review_id, "item": item, "step": 1, "state": "attested", "decided_at": LATER,
        "decided_by": str(by), "decider_id": by.pk, "about_id": item.about_id, **fields,
    }  # fmt: skip
    return Verdict(**values)


def refused(row):
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_the_database_refuses_a_verdict_on_ones_own(kwame, leila):
    change(leila)
    item = make_review().items.get()
    refused(verdict(item, leila))
    refused(verdict(item, leila, about_id=None))
    refused(verdict(item, leila, about_id=kwame.pk))
    refused(verdict(item, kwame, decider_id=None))
    verdict(item, kwame).save()


def test_the_database_refuses_a_second_verdict_at_one_step_and_a_gap(kwame, leila, hannah):
    change(kwame)
    item = make_review().items.get()
    refused(verdict(item, leila, step=2))
    verdict(item, leila).save()
    refused(verdict(item, hannah))


def test_the_database_refuses_a_verdict_after_the_signature(kwame, leila):
    change(kwame)
    review = make_review()
    item = review.items.get()
    decide_all(review, leila)
    signing.sign(review, statement="All seen", by=leila, at=LATER, confirmed=True)
    refused(verdict(item, leila, step=2, state="questioned", words="x"))
    review.refresh_from_db()
    review.title = "Another"
    with pytest.raises(IntegrityError), transaction.atomic():
        review.save()


def test_the_database_refuses_a_signature_without_attestation_and_another_population(kwame, leila):
    change(kwame)
    review = make_review()
    review.state, review.signed_at, review.signed_by = "signed", LATER, "Leila"
    with pytest.raises(IntegrityError), transaction.atomic():
        review.save()
    review.refresh_from_db()
    review.population = "0" * 64
    with pytest.raises(IntegrityError), transaction.atomic():
        review.save()


def test_the_database_refuses_an_item_beyond_the_frozen_population(kwame):
    change(kwame)
    review = make_review()
    more = ReviewItem(review=review, number=2, subject="change", about_name="x", title="x", digest="x")
    refused(more)


def test_the_database_refuses_an_attestation_of_what_is_not_decided(kwame, leila):
    change(kwame)
    review = make_review()
    row = Attestation(
        review=review, statement="x", signed_at=LATER, signed_by="Leila", signer_id=leila.pk,
        population=review.population, digest="x",
    )  # fmt: skip
    refused(row)
