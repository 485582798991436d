"""Drills on the pages: who starts one, where it is marked, where it comes, and how it is looked back at."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from incidents import services
from incidents.models import Incident
from incidents.selectors.filters import Filters
from incidents.selectors.kept import Asked, report_of
from incidents.selectors.listing import page_of
from incidents.sweeps import sweep_incidents
from portal.dashboard.selectors import burning, upcoming
from portal.dashboard.selectors.status import status_of
from portal.search import finding
from tests.factories.accounts import make_user
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"


def marks(response):
    return len(re.findall(r"pill--drill[^>]*>.*?Drill</span>", response.content.decode()))


@pytest.fixture
def manager(client):
    user = make_user("hannah", roles=["manager"])
    client.force_login(user, backend=BACKEND)
    return user


@pytest.fixture
def drill(mail, at):
    return make_incident(title="Mail stands still", severity=1, systems=[mail], at=at, is_drill=True)


class TestStarting:
    def test_a_responder_may_not(self, signed_in):
        assert signed_in.get(reverse("incidents:start-drill")).status_code == 403
        assert "Start a drill" not in signed_in.get(reverse("incidents:drills")).content.decode()

    @pytest.mark.parametrize("role", ["manager", "security-lead", "administrator"])
    def test_whoever_leads_may(self, client, role):
        client.force_login(make_user("lead", roles=[role]), backend=BACKEND)
        page = client.get(reverse("incidents:start-drill"))
        assert page.status_code == 200
        assert "No customer is told" in page.content.decode()

    def test_it_is_a_drill_for_good(self, client, manager, mail):
        form = client.get(reverse("incidents:start-drill")).context["form"]
        asked = {
            "once": form["once"].value(), "title": "Mail stands still", "systems": [mail.pk],
            "severity": form.fields["severity"].queryset.first().pk,
        }  # fmt: skip
        answer = client.post(reverse("incidents:start-drill"), asked, follow=True)
        made = Incident.objects.get()
        assert made.is_drill
        assert f"The drill {made.reference} has begun" in answer.content.decode()
        client.post(reverse("incidents:start-drill"), asked)
        assert Incident.objects.count() == 1

    def test_a_form_of_an_incident_starts_none(self, client, manager, mail):
        form = client.get(reverse("incidents:declare")).context["form"]
        asked = {
            "once": form["once"].value(), "title": "Mail stands still", "systems": [mail.pk], "is_drill": "on",
            "severity": form.fields["severity"].queryset.first().pk,
        }  # fmt: skip
        client.post(reverse("incidents:declare"), asked)
        assert not Incident.objects.get().is_drill


class TestMarks:
    @pytest.mark.parametrize("path", ["", "live/", "note/", "tell/customers/", "drill/", "cancel/", "real/"])
    def test_every_page_about_it_bears_the_mark(self, signed_in, drill, path):
        page = signed_in.get(f"/incidents/{drill.reference}/{path}")
        assert page.status_code == 200
        assert marks(page) >= 1

    @pytest.mark.parametrize("path", ["/", "/incidents/", "/incidents/?view=all", "/incidents/drills/"])
    def test_every_list_marks_it(self, signed_in, drill, path):
        assert marks(signed_in.get(path)) == 1

    def test_the_search_calls_it_a_drill(self, amara, drill):
        assert [hit.label for hit in finding.find("stands still", amara.user).best(2)] == ["Drill"]

    def test_nothing_marks_a_real_one(self, signed_in, incident):
        for path in ("/", "/incidents/", f"/incidents/{incident.reference}/"):
            assert marks(signed_in.get(path)) == 0


class TestOrder:
    def test_a_real_one_comes_before_a_worse_drill_in_every_order(self, amara, drill, at):
        mild = make_incident(severity=4, at=at - timedelta(days=1))
        for sort in ("urgent", "newest", "oldest", "worst", "mildest"):
            rows = page_of(amara.user, Filters(sort=sort), contact_id=None, at=at).rows
            assert [row.incident for row in rows] == [mild, drill]

    def test_now_shows_it_last_and_never_burning(self, amara, drill, at):
        mild = make_incident(severity=4, at=at)
        fire = burning.fire(amara.user, at=at)
        assert fire.first is None
        assert [row.incident for row in fire.others] == [mild, drill]
        assert (fire.total, fire.worst, fire.drills, fire.hidden) == (1, "SEV-4", 1, 0)

    def test_its_clocks_come_last(self, amara, drill, at):
        mild = make_incident(severity=4, at=at)
        due = [one.incident for one in upcoming.due_soon(amara.user, at=at)]
        assert due[-1] == drill
        assert mild not in due[1:] or due.index(mild) < due.index(drill)

    def test_the_list_is_narrowed_to_either(self, amara, drill, incident, at):
        for kind, only in (("real", incident), ("drill", drill)):
            rows = page_of(amara.user, Filters(kind=kind), contact_id=None, at=at).rows
            assert [row.incident for row in rows] == [only]


class TestCountsNowhere:
    def test_neither_in_the_navigation_nor_red(self, signed_in, drill):
        page = signed_in.get("/incidents/").content.decode()
        assert "count--red" not in page

    def test_nor_in_the_report_of_communications(self, amara, drill, at):
        sweep_incidents(at=at + timedelta(hours=2))
        assert report_of(amara.user, Asked(), at=at + timedelta(hours=2)).total.total == 0

    def test_nor_on_the_status_page(self, amara, drill, at):
        page = status_of(amara.user, at=at + timedelta(minutes=1))
        assert page.headline == "All systems are operational"
        assert (page.told, page.ended) == ([], [])


class TestLookingBack:
    def test_the_list_of_drills_leads_to_their_reports(self, signed_in, drill, incident):
        page = signed_in.get(reverse("incidents:drills")).content.decode()
        assert reverse("incidents:drill-report", args=[drill.reference]) in page
        assert incident.reference not in page

    def test_a_real_one_has_no_report_of_a_drill(self, signed_in, incident):
        assert signed_in.get(reverse("incidents:drill-report", args=[incident.reference])).status_code == 404

    def test_turning_real_leads_to_the_real_one(self, signed_in, drill):
        form = signed_in.get(f"/incidents/{drill.reference}/real/").context["form"]
        asked = {"once": form["once"].value(), "reason": "It is really down"}
        answer = signed_in.post(f"/incidents/{drill.reference}/real/", asked, follow=True)
        real = Incident.objects.real().get()
        assert answer.redirect_chain[-1][0] == real.get_absolute_url()
        assert drill.reference in answer.content.decode()
        assert real.reference in signed_in.get(drill.get_absolute_url()).content.decode()
        again = signed_in.post(f"/incidents/{drill.reference}/real/", asked)
        assert again.status_code == 302
        assert Incident.objects.real().count() == 1

    def test_a_real_one_is_not_offered_to_become_real(self, signed_in, incident):
        assert "This is real" not in signed_in.get(incident.get_absolute_url()).content.decode()


def test_the_page_of_its_link_says_so(signed_in, drill):
    services.acknowledge(drill, by="system: tests", at=drill.declared_at)
    assert "This is a drill." in signed_in.get(drill.get_absolute_url()).content.decode()
