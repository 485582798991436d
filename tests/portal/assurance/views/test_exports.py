"""Asking for an export, watching it, and fetching it after a confirmation."""

import pytest
from django.urls import reverse

from portal.assurance.exporting import sweeps
from portal.assurance.models import Export
from portal.audit.models import TrailRow
from portal.lib import clock
from tests.factories.accounts import confirm, make_superuser, make_user
from tests.factories.engagements import make_engagement
from tests.factories.exports import ask, content, make_auditor, make_export
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
LIST = "/audit/exports/"


@pytest.fixture
def ada(client):
    ada = make_auditor("ada", first_name="Ada")
    client.force_login(ada)
    return ada


def page_of(export, name="export"):
    return reverse(f"assurance:{name}", args=[export.pk])


def test_asking_makes_a_row_and_leads_to_its_page(client, ada):
    response = client.post(f"{LIST}new/trail/?action=created", {"format": "csv", "reason": "Yearly audit"})
    export = Export.objects.get()
    assert response.headers["Location"] == page_of(export)
    assert (export.requester, export.reason, export.parameters) == (ada, "Yearly audit", {"query": "action=created"})
    asked = TrailRow.objects.get(model="assurance.export")
    assert (asked.actor_name, asked.origin) == ("Ada", "web")


def test_the_form_asks_why(client, ada):
    response = client.post(f"{LIST}new/trail/", {"format": "csv", "reason": " "})
    assert response.status_code == 422
    assert "Say why, in a few words." in response.text
    assert not Export.objects.exists()


def test_the_list_shows_progress_and_refreshes_only_while_something_is_made(client, ada):
    export = ask(by=ada)
    Export.objects.filter(pk=export.pk).update(total=10, done=5)
    assert 'hx-trigger="every 2s"' in client.get(LIST).text
    sweeps.make_exports(now=clock.now)
    assert 'hx-trigger="every 2s"' not in client.get(LIST).text


def test_htmx_gets_the_part_that_changes(client, ada):
    export = ask(by=ada)
    for address, part in ((LIST, "export-rows"), (page_of(export), "export-state")):
        text = client.get(address, headers={"HX-Request": "true"}).text
        assert text.lstrip().startswith("<section")
        assert f'id="{part}"' in text


@pytest.mark.parametrize("state", ["waiting", "done", "failed", "expired"])
def test_an_export_shows_where_it_stands(client, ada, state):
    export = ask(by=ada)
    if state == "failed":
        export.state, export.error, export.settled_at = "failed", "Too large. Narrow it.", clock.now()
        export.save()
    elif state != "waiting":
        sweeps.make_exports(now=clock.now)
    if state == "expired":
        Export.objects.update(state="expired", expired_at=clock.now())
    text = client.get(page_of(export)).text
    told = {"waiting": "waits for its turn", "done": "Fetch the file", "failed": "Too large.", "expired": "has expired"}
    assert told[state] in text
    assert client.get(LIST).status_code == 200


def test_fetching_asks_who_is_there(client, ada):
    export = make_export(by=ada, at=clock.now())
    response = client.get(page_of(export, "fetch-export"))
    assert response.headers["Location"].startswith("/confirm/?next=%2Faudit%2Fexports%2F")
    assert not TrailRow.objects.filter(action="exported").exists()


def test_the_file_is_handed_out_after_the_confirmation_and_the_trail_keeps_it(client, ada):
    make_incident()
    export = make_export(by=ada, at=clock.now())
    confirm(client)
    response = client.get(page_of(export, "fetch-export"))
    assert b"".join(response.streaming_content) == content(export)
    assert response.headers["Content-Disposition"] == f'attachment; filename="{export.file_name}"'
    assert response.headers["Content-Length"] == str(export.size)
    assert "no-store" in response.headers["Cache-Control"]
    row = TrailRow.objects.get(action="exported")
    assert (row.actor_id, row.reference, row.origin) == (ada.pk, export.reference, "web")


def test_an_auditor_sees_only_their_own_exports(client, ada):
    export = make_export(at=clock.now())
    assert client.get(page_of(export)).status_code == 404
    assert export.reference not in client.get(LIST).text


def test_somebody_else_sees_the_row_and_not_the_file(client):
    export = make_export(at=clock.now())
    client.force_login(make_user(roles=["administrator"]))
    assert "Only" in client.get(page_of(export)).text
    confirm(client)
    response = client.get(page_of(export, "fetch-export"), follow=True)
    assert "Only whoever asked for an export fetches its file." in response.text
    assert not TrailRow.objects.filter(action="exported").exists()


def end(engagement):
    engagement.revoked_at, engagement.revoked_by, engagement.revoke_reason = clock.now(), "Leila", "The audit is over"
    engagement.save()


def test_the_file_of_an_ended_engagement_is_not_handed_out(client, ada):
    export = make_export(by=ada, at=clock.now())
    confirm(client)
    end(ada.engagements.get())
    assert client.get(page_of(export, "fetch-export")).status_code == 403
    assert not TrailRow.objects.filter(action="exported").exists()


def test_nor_is_it_within_another_engagement_which_says_why(client, ada):
    export = make_export(by=ada, at=clock.now())
    confirm(client)
    end(ada.engagements.get())
    make_engagement(ada)
    response = client.get(page_of(export, "fetch-export"), follow=True)
    assert "You may see less than when this file was made" in response.text
    assert not TrailRow.objects.filter(action="exported").exists()


def test_one_without_rights_sees_nothing_of_others(client):
    export = make_export(at=clock.now())
    client.force_login(make_user())
    confirm(client)
    assert client.get(page_of(export)).status_code == 404
    assert client.get(page_of(export, "fetch-export")).status_code == 404
    assert export.title not in client.get(LIST).text
    assert client.get(f"{LIST}new/trail/").status_code == 403
    assert client.post(f"{LIST}new/trail/", {"format": "csv", "reason": "x"}).status_code == 403


def test_what_does_not_exist_is_not_found(client, ada):
    assert client.get(f"{LIST}new/nonsense/").status_code == 404
    assert client.get(f"{LIST}999999/").status_code == 404


def test_nobody_is_let_in_without_signing_in(client):
    for address in (LIST, f"{LIST}new/trail/", f"{LIST}1/", f"{LIST}1/file/"):
        assert client.get(address).headers["Location"].startswith("/sign-in/")


def test_the_list_costs_the_same_however_long(client, ada, django_assert_max_num_queries):
    make_export(by=ada, at=clock.now())
    client.get(LIST)
    with django_assert_max_num_queries(40) as few:
        client.get(LIST)
    for number in range(6):
        make_export(by=ada, at=clock.now(), reason=f"Reason {number}")
    with django_assert_max_num_queries(len(few)):
        client.get(LIST)


def test_a_superuser_sees_all_rows_and_fetches_only_their_own(client):
    client.force_login(make_superuser())
    export = make_export(at=clock.now())
    assert export.title in client.get(LIST).text
    assert "Fetch the file" not in client.get(page_of(export)).text


# Evidence packets.

PACKET = {"format": "packet", "first_day": "2026-11-01", "last_day": "2026-11-30", "size": "25", "seed": "2026"}


def test_a_packet_is_asked_for_with_period_sample_and_seed(client, ada):
    ada.time_zone = "Asia/Tokyo"
    ada.save()
    response = client.post(f"{LIST}new/packet/", PACKET | {"reason": "Yearly audit"})
    export = Export.objects.get()
    assert response.headers["Location"] == page_of(export)
    assert export.parameters == {
        "from": "2026-10-31T15:00:00.000000Z",
        "to": "2026-11-30T15:00:00.000000Z",
        "sample": 25,
        "seed": "2026",
    }
    assert "a sample of 25 with the seed 2026" in client.get(page_of(export)).text


def test_each_form_offers_another_seed(client, ada):
    seeds = {client.get(f"{LIST}new/packet/").context["form"]["seed"].value() for _ in range(3)}
    assert len(seeds) == 3


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"last_day": "2026-10-30"}, "The last day must not come before the first."),
        ({"last_day": "9999-12-31"}, "Choose a day of this century."),
        ({"first_day": "soon"}, "Write a day, such as 30 Nov 2026."),
        ({"size": "0"}, "Sample between 1 and 500 records."),
        ({"size": "many"}, "Sample between 1 and 500 records."),
        ({"seed": "\u00e4\u00e4"}, "Give a seed"),
        ({"seed": ""}, "Give a seed"),
        ({"reason": ""}, "Say why, in a few words."),
    ],
)
def test_a_packet_that_makes_no_sense_is_refused_beside_its_field(client, ada, change, told):
    response = client.post(f"{LIST}new/packet/", PACKET | {"reason": "Yearly audit"} | change)
    assert response.status_code == 422
    assert told in response.text
    assert not Export.objects.exists()


def test_a_packet_arrives_and_is_fetched(client, ada):
    today = f"{clock.now():%Y-%m-%d}"
    make_incident()
    client.post(f"{LIST}new/packet/", PACKET | {"reason": "Yearly audit", "first_day": today, "last_day": today})
    sweeps.make_exports(now=clock.now)
    export = Export.objects.get()
    assert export.state == "done", export.error
    confirm(client)
    response = client.get(page_of(export, "fetch-export"))
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"].endswith('.zip"')
    assert b"".join(response.streaming_content) == content(export)


def test_the_filters_of_the_trail_fill_the_period_in(client, ada):
    form = client.get(f"{LIST}new/packet/?from=2026-11-01&to=2026-11-30&what=privileged").context["form"]
    assert f"{form['first_day'].value()} {form['last_day'].value()}" == "2026-11-01 2026-11-30"
    assert form["privileged"].value() is True


# Registers.


def test_a_register_is_chosen_on_its_own_page_first(client, ada):
    assert client.get(f"{LIST}new/register/").headers["Location"] == "/audit/as-of/"


def test_a_register_is_asked_for_as_of_its_moment(client, ada):
    address = f"{LIST}new/register/?model=directory.team&at=2026-11-17T09:00:00Z"
    assert "Teams as of 17 Nov 2026, 09:00 UTC" in client.get(address).text
    client.post(address, {"format": "csv", "reason": "Yearly audit"})
    assert Export.objects.get().title == "Teams as of 17 Nov 2026, 09:00 UTC"


def test_an_address_that_means_nothing_is_answered_with_a_sentence(client, ada):
    for query in ("model=directory.team&at=sometime", "model=x.y&at=2026-11-17T09:00:00Z"):
        address = f"{LIST}new/register/?{query}"
        assert client.get(address).status_code == 200
        assert client.post(address, {"format": "csv", "reason": "Yearly audit"}).status_code == 422
    assert client.post(f"{LIST}new/trail/?from=someday", {"format": "csv", "reason": "x"}).status_code == 422


@pytest.mark.parametrize("page", ["/audit/", "/incidents/", "/audit/as-of/directory.team/"])
def test_lists_lead_to_their_export(client, ada, page):
    assert "/audit/exports/new/" in client.get(page).text
