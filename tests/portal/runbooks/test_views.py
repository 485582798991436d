"""The pages of runbooks."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from portal.runbooks import services
from portal.runbooks.models import Runbook
from tests.factories.accounts import make_user
from tests.factories.approvals import make_person
from tests.factories.directory import NOON, make_system
from tests.factories.runbooks import TEXT, approve, make_published, make_runbook, writer

pytestmark = pytest.mark.django_db


def enter(*roles):
    client = Client()
    user = make_person("Rhea Reader", *roles)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(client, name, *args, status=200, **query):
    answer = client.get(reverse(f"runbooks:{name}", args=args), query)
    assert answer.status_code == status
    return answer.content.decode()


def test_the_list_shows_what_is_in_force_and_what_is_being_written():
    make_published("Ticket desk", system=make_system("desk"))
    make_runbook("Mail relay")
    said = page(enter("responder"), "list")
    assert "Ticket desk" in said
    assert "Nothing yet" in said
    assert "Mail relay" not in page(enter("responder"), "list", q="desk")
    assert "Mail relay" in page(enter("responder"), "list", view="writing")
    assert "Ticket desk" not in page(enter("responder"), "list", view="unpublished")


@pytest.mark.parametrize("name", ["runbook", "edit", "compare"])
def test_nobody_without_a_right_sees_a_runbook(name):
    runbook = make_runbook()
    client = Client()
    client.force_login(make_user("nobody"), backend="django.contrib.auth.backends.ModelBackend")
    page(client, name, runbook.reference, status=403)


def test_the_page_leads_to_each_procedure_first():
    runbook = make_published(system=make_system("desk", rto=60))
    said = page(enter("responder"), "runbook", runbook.reference)
    assert said.index('id="ways"') < said.index("Start the queue")
    assert "Rotate the signing key" in said
    assert '<pre class="code" tabindex="0"' in said


def test_a_version_is_read_by_its_number():
    runbook = make_runbook()
    assert "Nobody follows it yet" in page(enter("responder"), "version", runbook.reference, 1)
    page(enter("responder"), "version", runbook.reference, 2, status=404)


def test_raw_html_and_scripts_are_shown_as_words():
    runbook = make_runbook(
        text="# Desk\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![pic](https://a.example/b.png)\n"
    )
    said = page(enter("responder"), "runbook", runbook.reference)
    assert "<script>alert" not in said
    assert "javascript:" not in said.replace("[x](javascript:alert(1))", "")
    assert "<img src" not in said
    assert '<a href="https://a.example/b.png"' in said


def test_a_new_runbook_begins_with_the_template():
    client, system = enter("responder"), make_system("desk")
    client.post(reverse("runbooks:new"), {"title": "Desk", "system": system.pk})
    runbook = Runbook.objects.get()
    assert (runbook.title, runbook.system) == ("Desk", system)
    assert "## Standard Operating Procedures" in runbook.versions.get().text


def test_a_draft_is_written_on_its_page_and_a_secret_is_refused_there():
    client, runbook = enter("responder"), make_runbook()
    address = reverse("runbooks:edit", args=[runbook.reference])
    answer = client.post(address, {"text": "# Desk\n\nghp_" + "a1B2" * 9 + "\n", "summary": ""})
    assert answer.status_code == 422
    assert "looks as if it held a GitHub token" in answer.content.decode()
    client.post(address, {"text": TEXT.replace("Start the queue", "Start it"), "summary": "Shorter"})
    version = runbook.versions.get()
    assert ("Start it" in version.text, version.summary) == (True, "Shorter")


def test_the_way_from_draft_to_in_force_goes_over_the_pages():
    runbook, client = make_runbook(), enter("responder")
    make_person("Mona Manager", "manager")

    def act(verb, **sent):
        return client.post(reverse("runbooks:act-on-version", args=[runbook.reference, 1, verb]), sent)

    assert act("submit", reason="").status_code == 422
    assert act("submit", reason="Ready").status_code == 302
    assert act("publish", reason="Go").status_code == 422
    assert act("take-back", reason="Not yet").status_code == 302
    approve(runbook.versions.get())
    assert "It can be published now" in page(client, "runbook", runbook.reference)
    assert act("publish", reason="Go").status_code == 302
    assert runbook.versions.get().state == "published"
    confirm = reverse("runbooks:act", args=[runbook.reference, "confirm"])
    assert client.post(confirm, {"reason": "Walked through it"}).status_code == 302
    assert act("nonsense").status_code == 404


def test_two_versions_are_compared_section_by_section():
    runbook = make_published()
    services.begin(runbook, text=TEXT.replace("Start the queue", "Start the queue twice"), by=writer(), at=NOON)
    said = page(enter("responder"), "compare", runbook.reference, old=1, new=2)
    assert "<mark> twice</mark>" in said
    assert "Environment Variables" not in said
    assert "They say the same" in page(enter("responder"), "compare", runbook.reference, old=1, new=1)


def test_a_version_is_handed_out_as_a_file():
    runbook = make_runbook()
    answer = enter("responder").get(reverse("runbooks:export", args=[runbook.reference, 1]))
    assert answer["Content-Disposition"] == 'attachment; filename="RBK-000001-version-1.md"'
    assert answer.content.decode().startswith("# Ticket desk\n\n## Purpose\n")


def upload(client, text, **more):
    file = SimpleUploadedFile("desk.md", text.encode())
    return client.post(reverse("runbooks:import"), {"file": file, **more})


def test_a_file_is_looked_at_before_it_is_kept():
    client, system = enter("responder"), make_system("desk", rto=60)
    text = TEXT + "\n## Disaster Recovery\n\n- **RTO**: 2 hours\n\n- **Uptime**: â‰¥99.9%\n"
    said = upload(client, text, system=system.pk).content.decode()
    for words in ("3 procedures", "Rotate the signing key", "2 hours", "≥99.9%", "How the ticket desk is run."):
        assert words in said
    assert not Runbook.objects.exists()
    kept = client.post(reverse("runbooks:import"), {"name": "desk.md", "text": text, "system": system.pk})
    assert kept.status_code == 302
    assert Runbook.objects.get().system == system
    again = client.post(reverse("runbooks:import"), {"name": "desk.md", "text": text, "system": system.pk})
    assert again.status_code == 302
    assert Runbook.objects.get().versions.count() == 1
    assert "Changes nothing" in upload(client, text, system=system.pk).content.decode()


def test_a_file_with_a_secret_is_shown_and_not_kept():
    client, text = enter("responder"), "# Desk\n\nAKIA" + "Q4ZT7XB2MN8K5WPD\n"
    said = upload(client, text).content.decode()
    assert "line 3 as if it held an AWS access key" in said
    assert "Keep as a draft" not in said
    assert client.post(reverse("runbooks:import"), {"name": "desk.md", "text": text}).status_code == 422
    assert not Runbook.objects.exists()


def test_the_facts_are_changed_in_the_admin_and_the_review_follows():
    runbook = make_published()
    client = Client()
    client.force_login(
        make_user(roles=["administrator"], is_staff=True), backend="django.contrib.auth.backends.ModelBackend"
    )
    address = reverse("admin:runbooks_runbook_change", args=[runbook.pk])
    assert client.get(address).status_code == 200
    sent = {"title": "Desk", "system": "", "owner": "", "review_every_days": "30", "change_reason": "It is called so"}
    assert client.post(address, sent).status_code == 302
    runbook.refresh_from_db()
    assert (runbook.title, runbook.review_every_days) == ("Desk", 30)
