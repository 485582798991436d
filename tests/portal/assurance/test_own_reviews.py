"""Nobody reviews what they did or hold themselves, by whichever way: service, page, bulk, record page, database."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from portal.accounts import services as accounts
from portal.accounts.models import User
from portal.assurance import policy
from portal.assurance.models import Verdict
from portal.assurance.policy import Refused
from portal.assurance.services import deciding
from portal.assurance.services.holdings import Scope
from portal.assurance.views.reviews import SLUGS
from tests.factories.accounts import confirm, make_user
from tests.factories.directory import NOON
from tests.factories.reviews import DAY, change, item_about, make_access_review, make_review

pytestmark = pytest.mark.django_db
LATER = NOON + 2 * DAY
SERVICES = {
    "question": deciding.question, "settle": deciding.settle, "follow up": deciding.follow_up,
    "revoke": deciding.revoke, "note as gone": deciding.note_gone,
}  # fmt: skip
# The verb, the state that it leads to, and what the reviewer would say of their own.
OF_CHANGES = {"attest": "attested", "question": "questioned", "settle": "settled", "follow up": "followed-up"}
OF_ACCESS = {"attest": "attested", "revoke": "revoked", "note as gone": "gone"}
CASES = [("changes", verb) for verb in OF_CHANGES] + [("access", verb) for verb in OF_ACCESS]
PATHS = ("service", "page", "record page", "database")


@pytest.fixture(params=[False, True], ids=["a reviewer", "a superuser who reviews"])
def own(request):
    """Whoever would review their own: with a role that they could lose beside the one that reviews."""
    return make_user("leila", roles=["security-lead", "responder"], first_name="Leila", is_superuser=request.param)


@pytest.fixture
def other():
    return make_user("hannah", roles=["manager"], first_name="Hannah")


def arranged(kind, verb, own, other):
    """A review with an item about `own` to which the verb would apply."""
    if kind == "changes":
        change(own)
        review = make_review()
        item = item_about(review, own)
        if verb in {"settle", "follow up"}:
            deciding.question(review, item, words="Why?", by=other, at=LATER)
        return review, item
    review = make_access_review(Scope(roles=("Responder",)))
    if verb == "note as gone":
        accounts.withdraw(own, "responder", by=other, at=NOON + DAY, reason="Moved")
    return review, item_about(review, own)


def by_service(review, item, verb, own, client, sentence):
    more = {"confirmed": True} if verb == "revoke" else {}
    act = SERVICES.get(verb, lambda review, item, **given: deciding.attest(review, [item], **given))
    with pytest.raises(Refused) as refused:
        act(review, item, words="It is fine", by=own, at=LATER, **more)
    assert str(refused.value) == sentence


def by_page(review, item, verb, own, client, sentence):
    page = client.get(review.get_absolute_url() + "?view=all").content.decode()
    if verb == "attest":
        address = reverse("assurance:attest", args=[review.reference])
        assert client.post(address, {"items": [item.number]}).status_code == 302
        assert sentence in client.get(review.get_absolute_url()).content.decode()
        return
    address = reverse("assurance:decide", args=[review.reference, item.number, SLUGS[verb]])
    assert address not in page
    response = client.post(address, {"once": str(uuid.uuid4()), "words": "It is fine"})
    assert response.status_code == 422
    assert sentence in response.content.decode()


def by_record_page(review, item, verb, own, client, sentence):
    """Record pages show reviews, and take nothing."""
    for name, row in (("review", review), ("reviewitem", item)):
        address = reverse(f"admin:assurance_{name}_change", args=[row.pk])
        assert client.post(address, {"state": "signed", "change_reason": "x"}).status_code == 403
    assert (
        client.post(reverse("admin:assurance_verdict_add"), {"item": item.pk, "state": "attested"}).status_code == 403
    )


def by_database(review, item, verb, own, client, sentence):
    state = {**OF_CHANGES, **OF_ACCESS}[verb]
    step = item.verdicts.count() + 1
    values = {
        "review_id": review.pk, "item": item, "step": step, "state": state, "words": "x", "decided_at": LATER,
        "decided_by": str(own), "decider_id": own.pk, "evidence_row": 1,
    }  # fmt: skip
    for about in (item.about_id, None):  # a copy that hides whose it is is refused too
        with (
            pytest.raises(IntegrityError, match=r"nobody reviews their own|is not that of the item"),
            transaction.atomic(),
        ):
            Verdict(**values, about_id=about).save()


TRY = {"service": by_service, "page": by_page, "record page": by_record_page, "database": by_database}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("kind", "verb"), CASES)
def test_nobody_reviews_their_own(kind, verb, path, own, other, client):
    review, item = arranged(kind, verb, own, other)
    before = list(Verdict.objects.values())
    client.force_login(User.objects.get(pk=own.pk), backend="django.contrib.auth.backends.ModelBackend")
    confirm(client)
    sentence = policy.OWN_CHANGE if kind == "changes" else policy.OWN_ACCESS
    TRY[path](review, item, verb, own, client, sentence)
    assert list(Verdict.objects.values()) == before


def test_in_bulk_ones_own_are_left_to_others(own, other, client):
    change(own)
    change(other)
    review = make_review()
    client.force_login(own, backend="django.contrib.auth.backends.ModelBackend")
    numbers = [item.number for item in review.items.all()]
    client.post(reverse("assurance:attest", args=[review.reference]), {"items": numbers})
    assert [verdict.about_id for verdict in Verdict.objects.all()] == [other.pk]
    assert (
        "1 could not be attested: decided meanwhile, or your own."
        in client.get(review.get_absolute_url()).content.decode()
    )


def test_a_named_reviewer_who_lost_the_role_that_reviews_decides_no_more(other):
    kwame = make_user("kwame", roles=["administrator"])
    change(kwame)
    review = make_review(reviewers=[other], reviewer_roles=())
    accounts.withdraw(other, "manager", by=kwame, at=NOON + DAY, reason="Another post")
    with pytest.raises(Refused) as refused:
        deciding.attest(review, review.items.all(), by=User.objects.get(pk=other.pk), at=LATER)
    assert str(refused.value) == policy.NOT_A_REVIEWER
