"""A review of changes names nothing of a restricted record to whoever may not read it, and they do not decide on it."""

import pytest

from incidents import services
from portal.accounts.models import User
from portal.assurance.models import Verdict
from portal.assurance.policy import Refused
from portal.assurance.selectors.review_list import questions_to
from portal.assurance.services import deciding
from portal.assurance.services.veiling import TITLE, hidden_items
from portal.audit.actor import acting
from portal.audit.models import TrailRow
from portal.directory.models import Team
from portal.notify.models import Message
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import NOON, make_contact
from tests.factories.incidents import make_incident
from tests.factories.reviews import DAY, item_about, make_review

pytestmark = pytest.mark.django_db
LATER = NOON + 2 * DAY


@pytest.fixture
def hannah():
    return make_user("hannah", roles=["manager"], first_name="Hannah")


@pytest.fixture
def leila():
    user = make_user("leila", roles=["security-lead"], first_name="Leila")
    make_contact("Leila", user=user)
    return user


@pytest.fixture
def mei():
    user = make_user("mei", roles=["responder"], first_name="Mei")
    make_contact("Mei", user=user)
    return user


@pytest.fixture
def incident(mei):
    made = make_incident(title="Xylophone was stolen", by=mei)
    return services.restrict(made, by=mei, at=NOON, reason="It names people")


@pytest.fixture(params=["of the incident alone", "of the incident and of something else"])
def item(request, incident, mei):
    """An item of a review, of a gesture that touched the restricted incident."""
    with acting(by=mei, at=NOON, reason="Quagmire of it", origin="web", alone=True):
        reader = make_user("reader", roles=["responder"])
        services.grant_access(incident, account=reader, by=mei, at=NOON, reason="Quagmire of it")
        if request.param != "of the incident alone":
            Team.objects.create(slug="zeppelin", name="Zeppelin")
    review = make_review()
    return item_about(review, mei)


@pytest.fixture
def pages(client, item):
    review = item.review.get_absolute_url()

    def read(user):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        listed = [f"{review}?view=all", f"{review}result/", "/audit/reviews/", "/"]
        listed += ["/admin/assurance/reviewitem/", "/admin/assurance/verdict/"]
        return " ".join(client.get(page).content.decode() for page in listed)

    return read


def test_whoever_may_not_read_the_record_sees_that_there_is_a_change_and_no_more(client, pages, item, hannah):
    text = pages(hannah)
    assert TITLE in text
    assert "Mei" in text
    for word in ("Quagmire", "Xylophone", "INC-", "created"):
        assert word not in text
    assert client.get(f"{item.review.get_absolute_url()}items/{item.number}/").status_code == 404


def test_an_administrator_is_no_exception(pages):
    assert "Quagmire" not in pages(make_superuser("root"))


def test_whoever_reads_the_record_sees_and_decides(pages, item, leila):
    assert "Quagmire" in pages(leila)
    assert deciding.attest(item.review, [item], by=leila, at=LATER) == 1


def test_nobody_decides_on_what_they_may_not_read(client, item, hannah):
    sentence = "restricted record that you may not read"
    with pytest.raises(Refused, match=sentence):
        deciding.attest(item.review, [item], by=hannah, at=LATER)
    with pytest.raises(Refused, match=sentence):
        deciding.question(item.review, item, words="Why?", by=hannah, at=LATER)
    assert not Verdict.objects.exists()


def test_a_verdict_on_it_is_told_without_its_words(pages, item, leila, mei, hannah):
    deciding.question(item.review, item, words="Kaleidoscope?", by=leila, at=LATER)
    assert [found.pk for found in questions_to(mei)] == [item.pk]
    told = TrailRow.objects.filter(action="decided").latest("id")
    assert item.title not in told.event
    message = Message.objects.filter(kind="review_question").first()
    assert item.title not in message.body
    assert TITLE in message.body
    assert "Kaleidoscope" not in pages(hannah)
    assert "Kaleidoscope" in pages(leila)


def test_while_nothing_is_hidden_nothing_is_asked_of_the_trail(hannah, mei, django_assert_num_queries):
    with acting(by=mei, at=NOON, reason="It had to be", alone=True):
        Team.objects.create(slug="plain", name="Plain")
    item = item_about(make_review(), mei)
    hannah = User.objects.get(pk=hannah.pk)
    assert hannah.role_names
    with django_assert_num_queries(1):
        assert hidden_items([item], hannah) == set()
