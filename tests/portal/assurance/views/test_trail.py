"""The pages of the trail: who may read them, what they show, and that no address breaks them."""

import re
import uuid
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents import services
from incidents.models import Incident
from portal.accounts.models import User
from portal.assurance.enums import Register
from portal.assurance.selectors.trail_figures import STALE
from portal.audit import sealing
from portal.audit.actor import acting
from portal.audit.enums import Action
from portal.audit.models import SealBatch, TrailRow, Verification
from portal.audit.trail import record, record_reading
from portal.deadlines import services as deadlines
from portal.directory.models import ContactMethod
from portal.lib import clock
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import NOON, make_contact, make_method, make_system
from tests.factories.engagements import make_engagement
from tests.factories.incidents import make_incident
from tests.factories.trail import make_row, make_rows
from tests.factories.verified import make_verification

pytestmark = pytest.mark.django_db
TRAIL = "/audit/"
MOST_BYTES = 60_000
MOST_QUERIES = 10


@pytest.fixture
def auditor(client):
    """A client of an auditor whose engagement opens everything."""
    user = make_user("siobhan", first_name="Siobhan", last_name="Kearney", roles=["auditor"])
    client.force_login(user)
    return client


def text_of(response):
    """Return the words of a page as they are read."""
    words = " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())
    return re.sub(r" ([,:.])", r"\1", words)


def said(client, address=TRAIL):
    response = client.get(address)
    assert response.status_code == 200, address
    return text_of(response)


PAGES = [TRAIL, "/audit/rows/?id=1", "/audit/deleted/", "/audit/as-of/", "/audit/roles/"]


@pytest.mark.parametrize("page", PAGES)
def test_only_whoever_may_read_the_trail_opens_its_pages(client, page):
    assert client.get(page).status_code == 302
    client.force_login(make_user())
    assert client.get(page).status_code == 403


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_its_pages_only_read(auditor, page, method):
    assert getattr(auditor, method)(page).status_code == 405


def test_a_gesture_reads_as_who_did_what_and_why(auditor):
    incident = make_incident(title="Mail is late")
    with acting(by="Amara Okafor", reason="Taking it", anew=True, origin="web"):
        incident.title = "Mail is very late"
        incident.save()
    words = said(auditor)
    assert f"Amara Okafor changed title of {incident.reference} from Mail is late to Mail is very late" in words
    assert "“Taking it”" in words


def test_ones_own_acts_say_so(auditor):
    user = User.objects.get(username="siobhan")
    with acting(by=user, anew=True):
        record(Action.EVENT, event="Looked around")
    assert "Siobhan Kearney, you looked around" in said(auditor)


def test_reading_refusals_and_privileged_acts_are_marked(auditor):
    record_reading(make_system("mail"))
    make_row(action=Action.SIGN_IN_REFUSED, actor_name="unknown", actor_id=None, name="hvoss", at=clock.now())
    make_row(privileged=True, at=clock.now())
    words = said(auditor)
    for mark in ("Reading", "Refused", "Privileged", "unknown failed to sign in as hvoss"):
        assert mark in words


def test_a_filter_is_a_link_and_a_chosen_one_can_be_taken_away(auditor):
    row = make_row(("status", "a", "b"), at=clock.now())
    query = {
        "person": 7,
        "model": row.model,
        "object": row.object_id,
        "field": "status",
        "action": "changed",
        "q": "late",
    }
    page = auditor.get(f"{TRAIL}?{urlencode(query)}")
    chips = page.context["chosen"]
    assert [chip.label for chip in chips] == [
        "by account 7", "incident 418", "field status", "“late”",
    ]  # fmt: skip
    for chip, gone in zip(chips, ("person", "object", "field", "q"), strict=True):
        assert f"{gone}=" not in chip.url
    found = auditor.get(f"{TRAIL}?person=7").context["chosen"]
    assert found[0].label == "by Amara Okafor"


def test_what_does_not_exist_is_an_empty_state_with_a_sentence(auditor):
    assert "“fax number” is no origin." in said(auditor, f"{TRAIL}?origin=fax+number")
    assert "No row of the trail fits these filters" in said(auditor, f"{TRAIL}?origin=fax")
    assert "There is no word to look for" in said(auditor, f"{TRAIL}?q=,,")
    assert "Nothing lies beyond this page" in said(auditor, f"{TRAIL}?before=1.1")


def test_an_empty_trail_says_what_will_stand_there(client):
    client.force_login(make_superuser())
    rows = TrailRow.objects.order_by("pk")
    assert rows.exists()
    assert "Audit trail" in said(client)


PARAMETERS = (
    "q", "period", "from", "to", "what", "origin", "person", "part", "model", "object", "action", "field", "before",
    "after", "last", "at", "id", "page", "role",
)  # fmt: skip
ODD = st.one_of(
    st.text(max_size=40),
    st.integers().map(str),
    st.sampled_from(["today", "1", "2026-11-17", "incidents.incident", "'"]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([*PAGES, "/audit/as-of/incidents.incident/", "/audit/incidents.incident/1/"]),
    st.dictionaries(st.sampled_from(PARAMETERS), ODD, max_size=6),
)
def test_no_parameter_breaks_a_page(client, page, values):
    user = User.objects.filter(username="fuzz").first() or make_superuser("fuzz")
    client.force_login(user)
    response = client.get(page.partition("?")[0], values)
    assert response.status_code in {200, 302, 404, 422}, (page, values)


@pytest.mark.parametrize("key", ["0", "1'", "ä", "%00", "9" * 30, "a/b", "-1"])
def test_no_object_breaks_a_page(auditor, key):
    for page in (
        f"/audit/incidents.incident/{key}/",
        f"/audit/as-of/incidents.incident/{key}/",
        f"/audit/no.model/{key}/",
    ):
        assert auditor.get(page).status_code == 404
        assert auditor.get(f"{page}record/").status_code == 404


def test_each_page_of_the_trail_takes_at_most_ten_queries_however_long_it_is(auditor, django_assert_max_num_queries):
    def cost(address):
        with django_assert_max_num_queries(MOST_QUERIES) as queries:
            assert auditor.get(address).status_code == 200
        return len(queries)

    pages = [TRAIL, f"{TRAIL}?last=1", f"{TRAIL}?q=mail&origin=web", f"{TRAIL}?what=incidents", f"{TRAIL}?period=7d"]
    make_rows(1, first=clock.now())
    deadlines.mark_sweep("incidents", at=clock.now())
    auditor.get(TRAIL)
    few = [cost(page) for page in pages]
    make_rows(130, first=clock.now())
    many = [cost(page) for page in pages]
    services.restrict(make_incident(), by="system: tests", at=clock.now(), reason="It names people")
    auditor.get(TRAIL)
    assert max(map(cost, pages)) <= MOST_QUERIES  # with something hidden
    assert [more for few_, more in zip(few, many, strict=True) if more > few_] == []


def test_a_page_is_light_even_when_every_word_is_long(auditor):
    for _ in range(30):
        make_row(
            ("title", "a" * 500, "b" * 500), at=clock.now(), reason="why " * 400, name="n" * 200, actor_name="p" * 200,
            privileged=True,
        )  # fmt: skip
    assert len(auditor.get(TRAIL).content) < MOST_BYTES


def test_the_actions_lead_on_with_the_same_filters(auditor):
    page = auditor.get(f"{TRAIL}?origin=web&q=mail")
    html = page.content.decode()
    assert "/audit/exports/new/trail/?q=mail&amp;origin=web" in html
    assert "/audit/as-of/" in html
    assert "/audit/exports/new/packet/?q=mail&amp;origin=web" in html


def card(client):
    return client.get(TRAIL).context["seal"]


def test_the_card_says_that_nothing_is_sealed_yet(auditor):
    assert card(auditor).word == "Not sealed yet"


def verified(rows, *, found=0, ago=timedelta(hours=1)):
    return make_verification(clock.now() - ago, rows=rows, found=found)


def test_the_card_claims_no_more_than_the_last_full_check_proved(auditor):
    sealing.seal(at=clock.now())
    sealed = SealBatch.objects.latest("id").last
    assert (card(auditor).word, card(auditor).rows) == ("Never verified", sealed)
    verified(3)
    assert (card(auditor).word, card(auditor).headline) == (
        "Chain verified",
        "Positions 1 to 3: none missing, none altered.",
    )
    assert "Full check 1 h ago, 24 s." in said(auditor)
    verified(4, ago=timedelta(0), found=2)
    assert card(auditor).word == "Not whole"
    assert "2 findings" in card(auditor).headline


def test_the_card_believes_no_verification_that_the_trail_does_not_tell(auditor):
    sealing.seal(at=clock.now())
    verified(4, found=2)
    Verification.objects.update(found=0)
    assert card(auditor).word == "Not believed"
    Verification.objects.update(found=2)
    assert card(auditor).word == "Not whole"
    later = clock.now() + timedelta(days=400)
    Verification.objects.create(started_at=later, started_by="x", finished_at=later, position=4, rows=4)
    assert card(auditor).word == "Not believed"


def test_a_check_that_is_old_says_so(auditor):
    sealing.seal(at=clock.now())
    verified(3, ago=STALE + timedelta(hours=1))
    assert card(auditor).word == "Check is old"


def test_periods_are_counted_no_further_than_a_thousand(auditor):
    make_rows(1100, first=clock.now() - timedelta(hours=1), apart=timedelta(seconds=1))
    sealing.seal(at=clock.now(), limit=10)
    chips = {chip.label: chip.count for chip in auditor.get(TRAIL).context["facets"][0].chips}
    assert chips["7 days"] == "1,000+"
    assert chips["Any time"] == ""
    narrowed = auditor.get(f"{TRAIL}?origin=web").context["facets"][0].chips
    assert {chip.count for chip in narrowed} == {""}


def rows_of(gesture):
    return f"/audit/gestures/{gesture}/"


def test_a_gesture_shows_every_difference_with_links(auditor):
    contact = make_contact("Mei Tanaka")
    incident = make_incident()
    with acting(by="Amara Okafor", anew=True) as act:
        incident.commander = contact
        incident.title = "Mail is very late"
        incident.save()
    html = auditor.get(rows_of(act.gesture)).content.decode()
    assert f'<a href="/audit/incidents.incident/{incident.pk}/">{incident.reference}</a>' in html
    assert "/audit/?model=incidents.incident&amp;field=commander" in html
    assert f'<ins><a href="/audit/directory.contact/{contact.pk}/">Mei Tanaka</a>' in html
    assert "/audit/?part=Amara+Okafor" in html
    assert "not sealed yet" in html


def test_a_moment_is_told_in_the_zone_of_the_reader(client):
    client.force_login(make_superuser(time_zone="Asia/Tokyo"))
    row = make_row(("closed_at", None, "2026-11-17T12:00:00.000000Z"))
    words = said(client, rows_of(row.gesture))
    assert "17 Nov 2026, 21:00:00" in words
    assert "Tue 17 Nov 2026, 21:00:00 JST" in client.get(rows_of(row.gesture)).content.decode()


def test_htmx_gets_the_table_alone(auditor):
    row = make_row(("title", "a", "b"))
    page = auditor.get(rows_of(row.gesture), headers={"HX-Request": "true"})
    assert b"<table" in page.content
    assert b"<html" not in page.content
    assert "HX-Request" in page["Vary"]


def test_a_gesture_of_thousands_of_rows_is_read_in_parts(auditor):
    gesture = uuid.uuid4()
    make_rows(5000, gesture=gesture)
    first = auditor.get(rows_of(gesture))
    assert len(first.content) < MOST_BYTES
    after = first.context["inside"].after
    second = auditor.get(f"{rows_of(gesture)}?after={after}")
    assert second.context["inside"].rows[0].pk > after
    assert "Show the next rows" in text_of(first)


def test_refused_sign_ins_that_are_one_line_open_together(auditor):
    now = clock.now()
    for number in range(3):
        make_row(
            action=Action.SIGN_IN_REFUSED, actor_id=None, actor_name="unknown", name="hvoss", event="Wrong password",
            at=now + timedelta(seconds=number), model="accounts.user", object_id="",
        )  # fmt: skip
    line = auditor.get(TRAIL).context["page"].gestures[0]
    assert "failed to sign in as hvoss, 3 times" in said(auditor)
    assert said(auditor, line.url).count("Wrong password") == 3


def test_rows_that_are_not_there_are_not_found(auditor):
    assert auditor.get(rows_of(uuid.uuid4())).status_code == 404
    assert auditor.get("/audit/rows/?id=0&id=x").status_code == 404


def test_restricted_rows_are_nowhere(client, monkeypatch):
    with acting(anew=True):
        hidden = make_incident(title="Quiet matter")
    with acting(anew=True):
        open_ = make_incident(title="Mail is late")
    gesture = TrailRow.objects.filter(model="incidents.incident", object_id=str(hidden.pk)).first().gesture
    keys = [str(hidden.pk)]
    monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda cls, user: keys), raising=False)
    client.force_login(make_superuser())
    for page in (
        TRAIL,
        f"{TRAIL}?last=1",
        f"{TRAIL}?what=incidents",
        f"{TRAIL}?q=quiet",
        "/audit/as-of/incidents.incident/",
    ):
        words = said(client, page)
        assert hidden.reference not in words
        assert "Quiet matter" not in words
    assert open_.reference in said(client)
    shown = client.get(rows_of(gesture))
    assert shown.status_code == 404 or hidden.reference not in text_of(shown)
    for page in ("story", "object-as-of", "record"):
        assert client.get(reverse(f"assurance:{page}", args=["incidents.incident", hidden.pk])).status_code == 404
        assert client.get(reverse(f"assurance:{page}", args=["incidents.incident", open_.pk])).status_code in {200, 302}


def test_an_auditor_reads_only_what_the_engagement_opens(client):
    with acting(anew=True):
        incident = make_incident(title="Mail is late")
    with acting(anew=True):
        system = make_system("mail-intake")
    user = make_user(roles=["auditor"], engaged=False)
    make_engagement(user, registers=[Register.TRAIL, Register.DIRECTORY])
    client.force_login(user)
    words = said(client)
    assert "test added the system" in words
    assert incident.reference not in words
    assert client.get(reverse("assurance:story", args=["incidents.incident", incident.pk])).status_code == 404
    assert client.get(reverse("assurance:story", args=["directory.system", system.pk])).status_code == 200


def story(record, **query):
    address = reverse("assurance:story", args=[record._meta.label_lower, record.pk])
    return f"{address}?{urlencode(query)}" if query else address


def test_the_life_of_an_object_begins_with_its_creation_and_includes_its_parts(auditor):
    with acting(by="Amara Okafor", anew=True, at=NOON):
        contact = make_contact("Mei Tanaka")
    with acting(by="Amara Okafor", anew=True, at=NOON + timedelta(hours=1)):
        make_method(contact)
    with acting(by="Amara Okafor", reason="Married", anew=True, at=NOON + timedelta(days=1)):
        contact.name = "Mei Sato"
        contact.save()
    page = auditor.get(story(contact))
    words = text_of(page)
    assert "The life of Mei Sato" in words
    assert "Earlier: Mei Tanaka" in words
    assert words.index("added the contact Mei Tanaka") < words.index("“Married”")
    assert "added the contact method" in words
    assert "name Mei Tanaka" in words[words.index("added the contact Mei Tanaka") :], "what it held at first"
    assert page.context["life"].deleted is False


def test_a_life_goes_on_as_long_as_that_of_its_parts(auditor):
    with acting(by="Amara Okafor", anew=True, at=NOON):
        contact = make_contact("Mei Tanaka", reachable=False)
    with acting(by="Amara Okafor", anew=True, at=NOON + timedelta(days=2)):
        make_method(contact)
    life = auditor.get(story(contact)).context["life"]
    assert (life.first_at, life.last_at) == (NOON, NOON + timedelta(days=2))


def test_a_story_leads_to_the_record_the_trail_and_the_past(auditor):
    incident = make_incident()
    html = auditor.get(story(incident)).content.decode()
    assert f"/audit/as-of/incidents.incident/{incident.pk}/" in html
    assert f"/audit/?model=incidents.incident&amp;object={incident.pk}" in html
    assert auditor.get(f"{story(incident)}record/").url == incident.get_absolute_url()


def test_a_record_without_a_page_leads_to_its_form_for_whoever_may_open_it(client):
    contact = make_contact("Mei Tanaka")
    client.force_login(make_superuser())
    assert client.get(f"{story(contact)}record/").url == f"/admin/directory/contact/{contact.pk}/change/"


def test_a_deleted_object_is_found_and_keeps_its_story(auditor):
    with acting(by="Amara Okafor", anew=True, at=NOON):
        method = make_method(make_contact("Mei Tanaka"))
    key, name = method.pk, str(method)
    with acting(by="Henrik Voss", reason="Left the company", anew=True, at=NOON + timedelta(days=1)):
        method.delete()
    words = said(auditor, "/audit/deleted/")
    for part in (name, "contact method", "Henrik Voss", "“Left the company”"):
        assert part in words
    assert "Nothing of that name was deleted" in said(auditor, "/audit/deleted/?q=nosuchname")
    page = auditor.get(reverse("assurance:story", args=[ContactMethod._meta.label_lower, key]))
    assert page.context["life"].deleted
    assert page.context["record"] == ""
    assert "Henrik Voss removed the contact method" in text_of(page)


def test_a_long_story_is_read_from_either_end(auditor):
    incident = make_incident(at=NOON)
    key = str(incident.pk)
    make_rows(60, first=NOON + timedelta(hours=1), object_id=key, root_id=key)
    first = auditor.get(story(incident)).context["page"]
    last = auditor.get(story(incident, last=1)).context["page"]
    assert first.gestures[-1].main.action == Action.CREATED
    assert first.older == ""
    assert last.newer == ""
    seen, page = [], first
    while True:
        seen += [gesture.rows[0].pk for gesture in reversed(page.gestures)]
        if not page.newer:
            break
        page = auditor.get(page.newer).context["page"]
    assert seen == sorted(seen, key=lambda pk: (TrailRow.objects.get(pk=pk).at, pk))
    assert len(seen) == len(set(seen))
    assert seen[-1] == last.gestures[0].rows[0].pk
    assert auditor.get(first.newest).context["page"].gestures[0].rows[0].pk == seen[-1]


def extra(client, address):
    """Return how many queries a page asks beyond what every page does."""
    counts = []
    for page in ("/keys/", address):
        client.get(page)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        counts.append(len(queries))
    return counts[1] - counts[0]


def test_each_other_page_asks_little_beyond_what_every_page_does(auditor):
    with acting(by="Amara Okafor", anew=True) as act:
        incident = make_incident()
    assert extra(auditor, story(incident)) <= 3
    assert extra(auditor, rows_of(act.gesture)) <= 2
    assert extra(auditor, "/audit/deleted/") <= 1
    assert extra(auditor, "/audit/as-of/") <= 0
    assert extra(auditor, "/audit/roles/") <= 3
    assert extra(auditor, f"/audit/as-of/incidents.incident/{incident.pk}/") <= 6
    assert extra(auditor, "/audit/as-of/incidents.incident/") <= 5
