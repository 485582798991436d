"""The pages of engagements and reviews, walked through by those who use them."""

import pytest

from portal.accounts.models import User
from portal.accounts.roles import has_role
from portal.assurance.models import Engagement, Review
from tests.factories.accounts import confirm, make_user
from tests.factories.directory import NOON
from tests.factories.reviews import DAY, change, item_about, make_access_review, make_review

pytestmark = pytest.mark.django_db
ONCE = "6b1f7d2e-6b1f-4d2e-8b1f-7d2e6b1f7d2e"


@pytest.fixture
def kwame():
    return make_user("kwame", roles=["administrator"], first_name="Kwame", last_name="Mensah")


@pytest.fixture
def leila():
    return make_user("leila", roles=["security-lead"], first_name="Leila", last_name="Nasser")


@pytest.fixture
def door(client):
    def signed_in(user, *, confirmed=True):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        if confirmed:
            confirm(client)
        return client

    return signed_in


def text(response, status=200):
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


def test_an_engagement_is_granted_after_a_confirmation_and_seen_by_its_auditor(door, kwame):
    siobhan = make_user("siobhan", roles=["auditor"], engaged=False, first_name="Siobhan", last_name="Kearney")
    assert door(kwame, confirmed=False).get("/audit/engagements/grant/")["Location"].startswith("/confirm/")
    client = door(kwame)
    assert "Grant engagement" in text(client.get("/audit/engagements/"))
    assert "Siobhan Kearney" in text(client.get("/audit/engagements/grant/"))
    sent = {
        "once": ONCE, "auditor": siobhan.pk, "title": "Surveillance audit", "ends": "2099-01-01T17:00",
        "registers": ["incidents", "trail"], "reason": "Certificate",
    }  # fmt: skip
    assert client.post("/audit/engagements/grant/", sent).status_code == 302
    client.post("/audit/engagements/grant/", sent)
    made = Engagement.objects.get()
    assert "Certificate" in text(client.get(made.get_absolute_url()))
    own = text(door(siobhan).get("/audit/engagements/"))
    assert "You read incidents, the trail and its seals, of all systems" in own
    assert (
        door(kwame).post(f"{made.get_absolute_url()}end/", {"once": ONCE[:-1] + "f", "reason": "Done"}).status_code
        == 302
    )
    assert "Nothing is open to you now" in text(door(siobhan).get("/incidents/"), 403)


def test_a_review_is_walked_through_to_its_result(door, kwame, leila):
    change(kwame, times=3)
    review = make_review()
    page = review.get_absolute_url()
    client = door(leila)
    assert review.title in text(client.get("/audit/reviews/"))
    shown = text(client.get(page))
    assert "3 items on this page are open" in shown
    assert "created" in text(client.get(f"{page}items/1/", headers={"HX-Request": "true"})).lower()
    assert client.post(f"{page}items/1/question/", {"once": ONCE, "words": "Why?"}).status_code == 302
    assert "Asked of you" in text(door(kwame).get("/audit/reviews/"))
    assert "Why?" in text(client.get(f"{page}items/1/answer/"))
    assert client.post(f"{page}items/1/answer/", {"once": ONCE, "words": "Agreed"}).status_code == 302
    assert client.post(f"{page}items/2/question/", {"once": ONCE, "words": "x"}).status_code == 422
    client = door(leila)
    assert client.post(f"{page}items/1/settle/", {"once": ONCE, "words": "Fine"}).status_code == 302
    assert "2 of 3 items are not decided" in text(client.post(f"{page}sign/", {"once": ONCE, "statement": "x"}), 422)
    assert client.post(f"{page}attest/", {"items": ["2", "3"]}).status_code == 302
    assert "What you attest" in text(client.get(f"{page}sign/"))
    assert client.post(f"{page}sign/", {"once": ONCE, "statement": "All seen"}).status_code == 302
    result = text(client.get(f"{page}result/?check=1"))
    assert "All seen" in result
    assert "The trail still says what this review was made of" in result
    assert "Signed by Leila Nasser" in text(client.get(page))


def test_signing_and_revoking_ask_who_is_there(door, kwame, leila):
    amara = make_user("amara", roles=["responder"])
    review = make_access_review()
    address = f"{review.get_absolute_url()}items/{item_about(review, amara).number}/revoke/"
    client = door(leila, confirmed=False)
    assert client.get(f"{review.get_absolute_url()}sign/")["Location"].startswith("/confirm/")
    assert client.post(address, {"once": ONCE, "words": "Moved"})["Location"].startswith("/confirm/")
    assert has_role(User.objects.get(pk=amara.pk), "responder")
    confirm(client)
    assert client.post(address, {"once": ONCE, "words": "Moved"}).status_code == 302
    assert not has_role(User.objects.get(pk=amara.pk), "responder")
    assert "Evidence: row" in text(client.get(f"{review.get_absolute_url()}result/"))


@pytest.mark.parametrize("kind", ["changes", "access"])
def test_a_review_is_started_by_hand(door, leila, kind):
    client = door(leila)
    assert "Open the review" in text(client.get(f"/audit/reviews/start/{kind}/"))
    sent = {
        "once": ONCE, "first": "2026-01-01", "last": "2026-01-31", "roles": ["Manager"], "accounts": "on",
        "reviewer_roles": ["Manager"], "due_at": "2099-01-01T17:00", "reason": "Asked by the board",
    }  # fmt: skip
    assert client.post(f"/audit/reviews/start/{kind}/", sent).status_code == 302
    client.post(f"/audit/reviews/start/{kind}/", sent)
    review = Review.objects.get()
    assert text(client.get(review.get_absolute_url()))
    assert text(client.get(f"{review.get_absolute_url()}hand-over/"))
    assert (
        client.post(f"{review.get_absolute_url()}call-off/", {"once": ONCE[:-1] + "a", "reason": "x"}).status_code
        == 302
    )


def test_a_responder_reads_reviews_and_decides_nothing(door, kwame):
    change(kwame)
    review = make_review()
    page = review.get_absolute_url()
    client = door(make_user(roles=["responder"]))
    assert "You do not review here" in text(client.get(page))
    assert client.get("/audit/reviews/start/changes/").status_code == 403
    assert client.post(f"{page}attest/", {"items": ["1"]}).status_code == 403
    assert client.post(f"{page}items/1/settle/", {"words": "x"}).status_code == 403
    assert client.post(f"{page}sign/", {}).status_code == 403


def test_a_page_of_a_review_costs_the_same_however_many_items(door, kwame, leila, django_assert_max_num_queries):
    change(kwame, times=5)
    small = make_review()
    change(kwame, times=60, at=NOON + 2 * DAY)
    large = make_review(period_from=NOON + 1.5 * DAY, period_until=NOON + 3 * DAY, at=NOON + 4 * DAY)
    client = door(leila)
    counts = []
    for review in (small, small, large):
        with django_assert_max_num_queries(60) as context:
            text(client.get(review.get_absolute_url()))
        counts.append(len(context))
    assert counts[1] == counts[2]
