"""Reviewers race one another, a signature, a second signature and whoever calls the review off: each item is decided
once, and nothing is signed that was not decided.
"""

import pytest
from django.db import connection

from portal.accounts.models import User
from portal.accounts.roles import has_role
from portal.assurance.models import Attestation, Review, Verdict
from portal.assurance.services import deciding, signing
from portal.assurance.services.holdings import Scope
from tests.factories.accounts import make_user
from tests.factories.directory import NOON
from tests.factories.reviews import DAY, change, item_about, make_access_review, make_review

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]
ROUNDS = 12 if connection.vendor == "postgresql" else 4
LATER = NOON + 2 * DAY
SIGNED = "This review is signed off. Nothing in it changes any more."


@pytest.fixture
def people():
    roles = {"kwame": "administrator", "leila": "security-lead", "hannah": "manager"}
    return {name: make_user(name, roles=[role], first_name=name.title()) for name, role in roles.items()}


def opened(people):
    """A review of one change, and its item."""
    change(people["kwame"])
    review = make_review()
    return review, review.items.order_by("-number").first()


def attest(review, item, by):
    return lambda: deciding.attest(review, [item], by=by, at=LATER)


def question(review, item, by):
    return lambda: deciding.question(review, item, words="Why so early?", by=by, at=LATER).state


def sign(review, by):
    return lambda: bool(signing.sign(review, statement="All seen", by=by, at=LATER, confirmed=True))


def states(item):
    return list(Verdict.objects.filter(item=item).order_by("step").values_list("state", flat=True))


def test_of_two_reviewers_of_one_item_at_once_one_decides_and_the_other_is_told(together, people):
    for _ in range(ROUNDS):
        review, item = opened(people)
        said = together(attest(review, item, people["leila"]), attest(review, item, people["hannah"]))
        assert sorted(map(str, said)) == ["1", "It is attested already."]
        assert states(item) == ["attested"]


def test_a_question_and_an_attestation_at_once_leave_the_question_open(together, people):
    for _ in range(ROUNDS):
        review, item = opened(people)
        said = together(question(review, item, people["leila"]), attest(review, item, people["hannah"]))
        assert said[0] == "questioned"
        assert said[1] in {1, "It is questioned. Settle the question, or have it followed up."}
        assert states(item) == ([*(["attested"] if said[1] == 1 else []), "questioned"])


def test_a_signature_and_a_question_at_once_never_sign_what_is_questioned(together, people):
    for _ in range(ROUNDS):
        review, item = opened(people)
        deciding.attest(review, review.items.all(), by=people["leila"], at=LATER)
        said = together(sign(review, people["hannah"]), question(review, item, people["leila"]))
        signed = Review.objects.get(pk=review.pk).state == "signed"
        assert (said[0] is True) == signed == Attestation.objects.filter(review=review).exists()
        assert said[1] == (SIGNED if signed else "questioned")
        assert states(item)[-1] == ("attested" if signed else "questioned")


def test_two_signatures_at_once_are_one(together, people):
    for _ in range(ROUNDS):
        review, _ = opened(people)
        deciding.attest(review, review.items.all(), by=people["leila"], at=LATER)
        said = together(sign(review, people["hannah"]), sign(review, people["leila"]))
        assert sorted(map(str, said)) == [SIGNED, "True"]
        assert Attestation.objects.filter(review=review).count() == 1


def test_a_review_that_is_called_off_while_somebody_decides_keeps_what_came_first(together, people):
    for _ in range(ROUNDS):
        review, item = opened(people)

        def call_off(review=review):
            return signing.call_off(review, by=people["hannah"], at=LATER, reason="Opened twice").state

        said = together(attest(review, item, people["leila"]), call_off)
        assert said[1] == "called-off"
        assert said[0] in {1, "This review was called off. Nothing in it is decided any more."}
        assert len(states(item)) == (said[0] == 1)


def test_of_two_who_revoke_at_once_one_takes_it(together, people):
    for _ in range(ROUNDS):
        amara = make_user(roles=["responder"])
        review = make_access_review(Scope(roles=("Responder",)))
        item = item_about(review, amara)

        def revoke(by, review=review, item=item):
            return lambda: deciding.revoke(review, item, words="Moved", by=by, at=LATER, confirmed=True).state

        said = together(revoke(people["leila"]), revoke(people["hannah"]))
        assert sorted(said) == ["It is revoked already.", "revoked"]
        assert states(item) == ["revoked"]
        assert not has_role(User.objects.get(pk=amara.pk), "responder")
