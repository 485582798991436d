"""A restricted incident is named nowhere to whoever is not its member: at every address, with every method and role.

Its words are looked for in every answer and header, in searches and jumps, in mails, in what the watchdog tells, in the
inbox, in exports and packets.
"""

import difflib
import re
import uuid
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.db import connection

from incidents import services
from incidents.communications import subscribing
from incidents.models import AccessGrant, Alert, Escalation, Incident, IntakeDelivery, Responder
from incidents.sweeps import sweep_incidents
from portal.accounts.models import User
from portal.audit.models import TrailRow
from portal.dashboard import watchdog
from portal.deadlines.models import Deadline
from portal.directory.models import ContactMethod
from portal.lib import clock
from portal.lib.visibility import restricted_models, ways
from portal.notify import services as notify
from portal.notify.models import Message
from portal.records import services as records
from portal.records.evidence.models import Evidence
from portal.records.models import Demand, Note, Period
from portal.runbooks.checklists import services as checklists
from portal.runbooks.models import ChecklistRun
from tests.factories.accounts import make_superuser, make_user
from tests.factories.checklists import make_checklist
from tests.factories.communications import make_draft
from tests.factories.directory import make_channel, make_contact, make_severity, make_system
from tests.factories.evidence import make_evidence
from tests.factories.exports import content, make_export
from tests.factories.incidents import make_incident, make_policy, make_token
from tests.rules.test_auditors_change_nothing import METHODS, addresses, rows, sent, signed_in  # noqa: F401

pytestmark = [pytest.mark.django_db]
WORDS = (b"Xylophone", b"Quagmire", b"Zeppelin", b"Marzipan", b"Kaleidoscope")
LATER = timedelta(minutes=1)
OUTSIDERS = ("responder", "change-approver", "manager", "auditor", "administrator", "superuser", "nobody")
# Each database has the same querysets: whoever sees most of them stands for all on the one that takes longer.
AT_EVERY_ADDRESS = ("superuser", "auditor") if connection.vendor == "postgresql" else OUTSIDERS


def account(role):
    if role == "superuser":
        return make_superuser("root")
    return make_user(role, roles=[] if role == "nobody" else [role])


class World:
    """What stands around a restricted incident: people, a source, a policy, and an incident beside it."""

    def __init__(self, at):
        self.at = at
        make_contact("Kwame", user=make_user("kwame", roles=["administrator"]))
        make_policy("Loud", steps=[[make_channel("Everybody")]], security=True)
        self.token, _ = make_token("prometheus")
        self.vault = make_system("vault")
        self.member = make_contact("Mei", user=make_user("mei", roles=["responder"]))
        self.reader = make_user("reader", roles=["responder"])
        self.checklist = make_checklist("Vault list")
        follower = make_contact("Fola", user=make_user("follower", roles=["responder"]))
        subscribing.follow(self.vault, by=follower.user, at=at)
        self.beside = make_incident(title="The vault is slow", systems=[self.vault], at=at, by=self.member.user)
        services.acknowledge(self.beside, by=self.member.user, at=at)  # nobody is paged for it
        sweep_incidents(at=at + LATER)


def happens(world):
    """A restricted incident with something of every kind about it, and an administrator paged as the last resort."""
    at, member = world.at, world.member
    incident = services.declare(
        title="Xylophone was stolen", description="Quagmire of it", severity=make_severity(1),
        systems=[world.vault], by="system: tests", at=at, type="security",
    )  # fmt: skip
    assert incident.restricted
    services.add_responder(incident, contact=member, by=member.user, at=at)
    services.add_note(incident, text="Zeppelin over the river", by=member.user, at=at)
    services.record_update(incident, audience="customers", text="Marzipan for all", by=member.user, at=at)
    services.grant_access(incident, account=world.reader, by=member.user, at=at, reason="Kaleidoscope matters")
    Alert.objects.create(
        token=world.token, key="k", incident=incident, title="Xylophone rings", first_at=at, last_at=at
    )
    IntakeDelivery.objects.create(
        token=world.token, received_at=at, body=b"Xylophone", result="accepted", status_code=200, incident=incident,
        sentence="Xylophone",
    )  # fmt: skip
    records.ask(
        topic="incident.open", key="x", payload={"title": "Xylophone again", "level": 1, "type": "security"},
        by="system: tests", at=at, answer_by=at + timedelta(minutes=5),
    )  # fmt: skip
    make_evidence(name="Xylophone.log", subject=incident, by=member.user, at=at, acquired_at=at, source="Quagmire host")
    make_draft(incident, subject="Marzipan is late", text="Marzipan for all", by=member.user, at=at)
    checklists.start(world.checklist, subject=incident, by=member.user, at=at)
    twin = services.declare(
        title="Xylophone once more", severity=make_severity(2), systems=[world.vault], by=member.user, at=at,
        type="security",
    )  # fmt: skip
    services.merge(twin, into=incident, by=member.user, at=at, reason="Kaleidoscope is the same")
    services.relate(incident, to=world.beside, by=member.user, at=at, reason="Kaleidoscope too")
    sweep_incidents(at=at + LATER)
    return incident


@pytest.fixture
def world():
    return World(clock.now())


@pytest.fixture
def secret(world):
    return happens(world)


def about(incident):
    """Return the rows about the incident that have pages of their own, by model."""
    found = {"incidents.Incident": incident, "incidents.Responder": incident.responders.get()}
    found |= {"incidents.Escalation": incident.escalations.first(), "incidents.Alert": incident.alerts.get()}
    found |= {"incidents.AccessGrant": incident.grants.get(), "incidents.IntakeDelivery": incident.deliveries.get()}
    found |= {"records.Note": records.timeline(incident).filter(kind="note").get()}
    found |= {"notify.Message": Message.objects.filter(about_id=incident.pk).first()}
    found |= {"records.Period": Period.objects.filter(record_id=incident.pk).first()}
    found |= {"deadlines.Deadline": Deadline.objects.filter(subject_id=incident.pk).first()}
    found |= {"records.Evidence": Evidence.objects.of(incident).get()}
    found |= {"incidents.Communication": incident.communications.get()}
    run = ChecklistRun.objects.get(subject_id=incident.pk, checklist__name="Vault list")
    found |= {"runbooks.ChecklistRun": run, "runbooks.RunStep": run.steps.first()}
    return found | {"records.Demand": Demand.objects.get(key="x")}


def told_of(response):
    """Return the words that an answer gives away, in its body or headers."""
    body = b"".join(response) if response.streaming else response.content
    everything = body + str(dict(response.headers)).encode()
    return [word for word in WORDS if word in everything]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("role", AT_EVERY_ADDRESS)
def test_no_address_names_it(client, rows, secret, role):  # noqa: F811
    client.raise_request_exception = False
    everything = {**rows, **about(secret)}
    user, wrong, everywhere = account(role), [], addresses(everything)
    # HEAD is GET without what it shows, and whatever else is refused before anybody is known: one role stands for all.
    for method in METHODS if role == AT_EVERY_ADDRESS[0] else ("post", "get"):
        signed_in(client, user)
        given = sent(everything) if method == "post" else None
        for address in everywhere:
            if method == "post" and ("/sign-out/" in address or "/logout/" in address or "/glass/" in address):
                continue
            response = getattr(client, method)(address, given)
            wrong += [f"{method} {address} says {word.decode()}" for word in told_of(response)]
    assert wrong == []


@pytest.mark.parametrize("role", OUTSIDERS)
def test_no_list_search_or_count_knows_of_it(client, secret, role):
    user = account(role)
    signed_in(client, user)
    asked = ["/", "/incidents/?view=all", "/incidents/?type=security&view=all", "/inbox/", "/readiness/"]
    asked += [f"/incidents/{secret.reference}/", f"/incidents/{secret.reference}/live/", "/audit/", "/me/"]
    asked += ["/audit/as-of/incidents.incident/", f"/audit/?model=incidents.incident&object_id={secret.pk}"]
    for words in ("Xylophone", secret.reference):
        asked += [f"/search/?q={words}", f"/search/live/?q={words}", f"/search/?q={words}&for={secret.reference}"]
        asked += [f"/jump/?q={words}", f"/incidents/?q={words}&view=all", f"/audit/?q={words}"]
        pages = ("incidents/incident", "incidents/alert", "records/note", "notify/message", "incidents/responder")
        asked += [f"/admin/{page}/?q={words}" for page in pages]
    wrong = []
    for address in asked:
        response = client.get(address)
        wrong += [f"{address} says {word}" for word in told_of(response) if f"q={word.decode()}" not in address]
        if "q=" in address and secret.get_absolute_url().encode() in response.content:
            wrong.append(f"{address} leads to it")
    assert wrong == []
    if user.is_superuser:
        kind = ContentType.objects.get_for_model(Incident)
        own = {Incident: {"pk": secret.pk}, Note: {"subject_type": kind, "subject_id": secret.pk}}
        own |= {Message: {"about_type": kind, "about_id": secret.pk}}
        own |= {model: {"incident": secret} for model in (Responder, Escalation, Alert, AccessGrant, IntakeDelivery)}
        for model, facts in own.items():
            assert model.objects.filter(**facts).exists(), model
            if hasattr(model.objects.none(), "visible_to"):
                assert not model.objects.visible_to(user).filter(**facts).exists(), model


PAGES = (
    "/", "/incidents/", "/incidents/?view=all", "/incidents/?type=security&view=all", "/incidents/communications/",
    "/incidents/following/", "/incidents/drills/", "/incidents/{beside}/", "/incidents/{beside}/merge/", "/sources/",
    "/sources/{token}/", "/status/", "/evidence/", "/checklists/", "/checklists/runs/", "/on-call/", "/contact-sheet/",
    "/readiness/", "/inbox/", "/approvals/", "/changes/", "/changes/calendar/", "/directory/systems/",
    "/directory/systems/vault/", "/directory/people/", "/audit/?model=incidents.incident", "/audit/reviews/",
    "/audit/exports/", "/search/?q=stolen", "/search/?q=vault", "/jump/?q=vault", "/admin/",
    "/admin/incidents/incident/", "/admin/incidents/alert/", "/admin/incidents/responder/",
    "/admin/incidents/communication/", "/admin/incidents/intakedelivery/", "/admin/incidents/escalation/",
    "/admin/records/note/", "/admin/records/period/", "/admin/records/evidence/", "/admin/records/demand/",
    "/admin/notify/message/", "/admin/deadlines/deadline/", "/admin/runbooks/checklistrun/",
)  # fmt: skip
# What differs from one answer to the next: secrets of forms, and when the portal last did something.
PASSING = re.compile(
    rb'csrfmiddlewaretoken" value="\w+|nonce="[^"]+|name="once" value="[^"]+|id="id_once"[^>]+|hx-headers=[^>]+'
)


def looks(client, world):
    found = {page: page.format(beside=world.beside.reference, token=world.token.pk) for page in PAGES}
    answers = {page: client.get(address) for page, address in found.items()}
    return {page: (one.status_code, PASSING.sub(b"", one.content)) for page, one in answers.items()}


@pytest.mark.slow
@pytest.mark.parametrize("role", OUTSIDERS)
def test_every_list_and_count_looks_as_if_it_had_never_happened(client, world, role, monkeypatch):
    """Not only its words: a number that is one higher, a row more or a colour would tell of it too."""
    user = account(role)
    for name in ("now", "database_now"):
        monkeypatch.setattr(clock, name, lambda: world.at + LATER)
    signed_in(client, user)
    looks(client, world)  # what the first look leaves behind is no difference
    before = looks(client, world)
    happens(world)
    after = looks(client, world)
    told = [f"{page} {line}" for page in PAGES for line in differences(before[page], after[page])]
    assert told == []


def differences(before, after):
    """Return the lines that only one of the answers has."""
    one, other = (answer[1].decode().splitlines() for answer in (before, after))
    return [line.strip()[:300] for line in difflib.ndiff(one, other) if line[0] in "+-"][:8]


def test_whoever_was_asked_as_the_last_resort_and_a_channel_are_told_only_that_there_is_something(client, secret):
    at = clock.now() + timedelta(hours=2)
    for minutes in range(0, 120, 20):
        sweep_incidents(at=clock.now() + timedelta(minutes=minutes))
    for _ in range(20):
        notify.send_lane("email", now=lambda: at)
    inside = ContactMethod.objects.filter(contact__name="Mei").values_list("address", flat=True)
    outside = [one for one in mail.outbox if one.to[0] not in inside and "The vault is slow" not in one.subject]
    assert outside
    for one in outside:
        text = " ".join([one.subject, one.body, *(part for part, _ in one.alternatives)]).encode()
        assert not [word for word in WORDS if word in text], one.subject
        assert b"A restricted incident" in text  # a bundle of pages says it in its lines
        assert "/a/" not in one.body
    kwame = User.objects.get(username="kwame")
    signed_in(client, kwame)
    inbox = client.get("/inbox/").content
    assert b"A restricted incident" in inbox
    assert not [word for word in WORDS if word in inbox]


def test_the_watchdog_names_nothing_of_it(secret):
    Message.objects.filter(about_id=secret.pk).exclude(lane="inbox").update(
        state="failed", error="no answer", due_at=clock.now() - timedelta(hours=1)
    )
    told = " ".join(f"{alarm.title} {alarm.body}" for alarm in watchdog.alarms(at=clock.now() + timedelta(hours=2)))
    assert "do not leave" in told
    assert not [word for word in WORDS if word.decode() in told]


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_no_export_holds_it(secret, role):
    user = account(role)
    sources = {"trail": {}, "incidents": {"query": "view=all"}}
    for source, parameters in sources.items():
        for format in ("csv", "jsonl"):  # noqa: A001 - the word of the form
            made = make_export(source, by=user, format=format, at=clock.now(), **parameters)
            assert made.rows > 0 or source == "incidents"
            file = content(made)
            assert not [word for word in WORDS if word in file], source


def test_members_and_whoever_it_was_opened_to_read_it_and_that_is_recorded(client, secret):
    for name in ("mei", "reader"):
        signed_in(client, User.objects.get(username=name))
        page = client.get(secret.get_absolute_url()).content
        assert b"Xylophone" in page
        assert b"Zeppelin" in page
        account_id = User.objects.get(username=name).pk
        assert TrailRow.objects.filter(action="read", object_id=str(secret.pk), actor_id=account_id).exists()
    lead = make_user("lead", roles=["security-lead"])
    signed_in(client, lead)
    assert b"Xylophone" in client.get("/incidents/").content


def test_breaking_the_glass_is_told_to_the_security_lead_and_shown_to_all_members(client, secret):
    lead = make_contact("Lena", user=make_user("lena", roles=["security-lead"]))
    root = make_superuser("root")
    signed_in(client, root)
    response = client.get(secret.get_absolute_url())
    assert response.url.endswith("/glass/")
    assert client.post(response.url, {"once": str(uuid.uuid4()), "reason": ""}).status_code == 422
    assert client.post(response.url, {"once": str(uuid.uuid4()), "reason": "The lead is asleep"}).status_code == 302
    assert b"Xylophone" in client.get(secret.get_absolute_url()).content
    assert Message.objects.filter(kind="incident_glass", contact=lead, about_id=secret.pk).exists()
    note = records.timeline(secret).get(kind="glass")
    assert (note.reason, "Lena" in note.detail) == ("The lead is asleep", True)
    row = TrailRow.objects.filter(model="incidents.accessgrant", action="created").latest("id")
    assert (row.privileged, row.reason) == (True, "The lead is asleep")
    signed_in(client, make_user("rae", roles=["responder"]))
    assert client.get(f"/incidents/{secret.reference}/glass/").status_code == 403


def test_every_table_about_an_incident_hides_with_it():
    leads = {
        model._meta.label
        for model in apps.get_models()
        if any(way.kind or way.model is Incident for way in ways(model))
    }
    assert {
        "records.Note", "records.Period", "records.Link", "records.Demand", "notify.Message", "notify.ActionLink",
        "deadlines.Deadline", "incidents.Responder", "incidents.Escalation", "incidents.Alert", "audit.TrailRow",
        "incidents.IntakeDelivery", "incidents.AccessGrant", "approvals.ApprovalRequest", "assurance.GrantedRecord",
        "assurance.ReviewItem",
    } <= leads  # fmt: skip
    assert Incident in restricted_models()
