"""The admin of incidents: verbs as buttons, policies built on one page, addresses whose secret is shown once."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents import services
from incidents.acts import ACTS
from incidents.clocks import clock_cards
from incidents.enums import TargetKind
from incidents.models import EscalationPolicy, EscalationTarget, IntakeDelivery, IntakeToken
from incidents.policies import key_of
from tests.factories.accounts import confirm, make_user
from tests.factories.directory import NOON, make_channel, make_contact, make_system, make_team
from tests.factories.incidents import make_incident, make_mapping, make_policy, make_token
from tests.factories.payloads import body

pytestmark = pytest.mark.django_db


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make_user(roles=[role]))
    return client


@pytest.fixture
def administrator():
    return signed_in("administrator")


def change(record) -> str:
    return reverse(f"admin:incidents_{record._meta.model_name}_change", args=[record.pk])


def page(client, address) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


# Incidents


def test_the_verbs_of_the_room_are_buttons_on_the_record(administrator):
    incident = make_incident()
    shown = page(administrator, change(incident))
    assert f'href="/incidents/{incident.reference}/acknowledge/"' in shown
    assert f'href="/incidents/{incident.reference}/escalate/"' in shown


def test_a_history_names_what_the_engine_keeps_in_words(administrator):
    incident = make_incident()
    services.acknowledge(incident, by=make_contact(), at=NOON)
    shown = page(administrator, reverse("admin:incidents_incident_history", args=[incident.pk]))
    assert "Escalation counter" in shown
    assert "Generation" not in shown


def test_who_may_only_read_gets_no_button_and_no_form():
    incident = make_incident()
    shown = page(signed_in("auditor"), change(incident))
    assert "/acknowledge/" not in shown
    assert 'name="title"' not in shown


def test_no_form_changes_what_a_verb_changes(administrator):
    incident = make_incident(severity=3, systems=[make_system()])
    found = {"title": "New words", "description": "", "severity": 1, "status": "closed", "dedup_key": "x"}
    found |= {"responders-TOTAL_FORMS": 0, "responders-INITIAL_FORMS": 0, "change_reason": "A typing error"}
    assert administrator.post(change(incident), found).status_code == 302
    incident.refresh_from_db()
    assert (incident.title, incident.severity.level, incident.status) == ("New words", 3, "declared")
    assert incident.history.latest().history_change_reason == "A typing error"


def test_incidents_are_not_added_in_the_admin(administrator):
    assert administrator.get(reverse("admin:incidents_incident_add")).status_code == 403


@pytest.mark.parametrize(
    "model",
    [
        *("incident", "responder", "escalation", "alert", "escalationpolicy", "escalationstep", "escalationtarget"),
        *("intaketoken", "intakemapping", "intakedelivery"),
    ],
)
@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_every_list_and_record_opens(role, model):
    client = signed_in(role)
    system = make_system()
    policy = make_policy(steps=[make_contact(), "security_lead"], systems=[system])
    _, secret = make_token()
    Client().post(f"/intake/{secret}/", body("v4_firing"), "application/json")
    services.add_responder(make_incident(systems=[system]), contact=make_contact(), by="system: tests", at=NOON)
    make_mapping("team", "x*", system=system)
    listed = page(client, reverse(f"admin:incidents_{model}_changelist"))
    link = re.search(rf'href="(/admin/incidents/{model}/\d+/change/[^"]*)"', listed)
    assert link, f"no {model} is listed"
    assert page(client, link[1].replace("&amp;", "&"))
    assert policy.steps.count() == 2


STEPS = {"declared": [], "acknowledged": ["acknowledge"], "mitigated": ["acknowledge", "mitigate"],
         "resolved": ["acknowledge", "resolve"], "cancelled": ["cancel"]}  # fmt: skip


@pytest.mark.parametrize("status", STEPS)
def test_each_verb_that_fits_is_a_button_and_none_that_does_not(administrator, status):
    incident = make_incident(severity=3, systems=[make_system()])
    for verb in STEPS[status]:
        incident = getattr(services, verb)(incident, by="system: tests", at=NOON)
    cards = clock_cards(incident, at=NOON)
    fitting = {slug for slug, act in ACTS.items() if act.fits(incident, cards)}
    address = re.escape(incident.get_absolute_url())
    shown = set(re.findall(rf'href="{address}([a-z]+)/', page(administrator, change(incident))))
    assert shown == fitting
    assert ("responder" in shown) == incident.is_open


# Policies


def step_fields(number, *, pk="", policy="", **fields):
    found = {"id": pk, "policy": policy, "place": "", "wait": "5 min", **fields}
    return {f"steps-{number}-{name}": value for name, value in found.items()}


def policy_fields(*steps, initial=0, **fields):
    found = {"name": "Nights", "repeat": 1, "final_wait": "5 min", "active": "on", "change_reason": "Why not", **fields}
    for step in steps:
        found |= step
    return found | {"steps-TOTAL_FORMS": len(steps), "steps-INITIAL_FORMS": initial}


def targets(policy):
    rows = EscalationTarget.objects.filter(step__policy=policy).order_by("step__position", "id")
    return [(row.step.position, *key_of(row)) for row in rows]


def test_a_policy_for_a_system_beyond_every_number_of_the_database_is_refused_with_a_sentence(administrator):
    found = policy_fields(step_fields(0, people=[make_contact().pk]), systems=["9" * 23])
    answer = administrator.post(reverse("admin:incidents_escalationpolicy_add"), found)
    assert answer.context["adminform"].form.errors == {"systems": ["Choose from the list."]}
    assert not EscalationPolicy.objects.filter(name="Nights").exists()


def test_a_whole_policy_is_built_on_one_page(administrator):
    system, team, person, room = make_system(), make_team(), make_contact(), make_channel()
    found = policy_fields(
        step_fields(0, wait="0 min", teams=[team.pk]),
        step_fields(1, wait="90 s", people=[person.pk], roles=["security_lead"], channels=[room.pk]),
        systems=[system.pk],
        final_wait="10 min",
    )
    answer = administrator.post(reverse("admin:incidents_escalationpolicy_add"), found)
    assert answer.status_code == 302
    policy = EscalationPolicy.objects.get(name="Nights")
    assert [step.delay_seconds for step in policy.steps.order_by("position")] == [0, 90]
    assert policy.final_wait_seconds == 600
    assert set(targets(policy)) == {
        (1, TargetKind.TEAM, team.pk),
        (2, TargetKind.ROLE, "security_lead"),
        (2, TargetKind.PERSON, person.pk),
        (2, TargetKind.CHANNEL, room.pk),
    }
    assert list(policy.systems.all()) == [system]
    assert policy.steps.first().history.get().actor_name != "test"


def test_steps_change_places_lose_targets_and_go(administrator):
    first, second, third = make_contact(), make_contact(), make_contact()
    policy = make_policy("Nights", steps=[first, second, third])
    one, two, three = policy.steps.order_by("position")
    found = policy_fields(
        step_fields(0, pk=one.pk, policy=policy.pk, place=2, wait="4 min", people=[third.pk]),
        step_fields(1, pk=two.pk, policy=policy.pk, place=1, wait="0 min", people=[second.pk]),
        step_fields(2, pk=three.pk, policy=policy.pk, place=3, people=[third.pk], remove="on"),
        initial=3,
    )
    assert administrator.post(change(policy), found).status_code == 302
    assert targets(policy) == [(1, TargetKind.PERSON, second.pk), (2, TargetKind.PERSON, third.pk)]
    policy.refresh_from_db()
    assert policy.version == 2


def test_a_step_is_named_once_above_its_fields(administrator):
    shown = page(administrator, change(make_policy("Nights", steps=[make_contact()])))
    assert "Step 1 of Nights" in shown
    assert "Escalation step</b> <span" in shown  # the empty one that further steps are made from
    assert not re.search(r"Escalation step\W+step 1", re.sub(r"<[^>]+>", " ", shown))


def test_a_form_without_the_number_of_its_rows_is_refused_in_a_sentence(administrator):
    policy = make_policy("Nights", steps=[make_contact()])
    answer = administrator.post(change(policy), {"name": "Days", "repeat": 1, "final_wait": "5 min"})
    shown = answer.content.decode()
    assert "came without their number" in shown
    assert "bug report" not in shown
    policy.refresh_from_db()
    assert policy.name == "Nights"


def test_saving_a_policy_as_it_stands_changes_nothing(administrator):
    person = make_contact()
    policy = make_policy("Nights", steps=[person])
    step = policy.steps.get()
    rows = policy.history.count(), step.history.count()
    same = step_fields(0, pk=step.pk, policy=policy.pk, place=1, wait="0 min", people=[person.pk])
    administrator.post(change(policy), policy_fields(same, initial=1))
    policy.refresh_from_db()
    assert policy.version == 1
    assert (policy.history.count(), step.history.count()) == rows


def test_an_edit_never_bends_a_running_escalation(administrator):
    person = make_contact()
    policy = make_policy("Nights", steps=[person], default=True)
    incident = make_incident()
    step = policy.steps.get()
    gone = step_fields(0, pk=step.pk, policy=policy.pk, place=1, wait="0 min", people=[person.pk], remove="on")
    administrator.post(change(policy), policy_fields(gone, initial=1, is_default="on"))
    assert policy.steps.count() == 0
    assert len(incident.escalations.get().snapshot["steps"]) == 1


def test_what_is_wrong_with_a_policy_is_said_when_it_is_saved(administrator):
    gone = make_contact("Tom Berg", active=False)
    found = policy_fields(step_fields(0, wait="0 min", roles=["security_lead"]), step_fields(1, wait="6 min"))
    answer = administrator.post(reverse("admin:incidents_escalationpolicy_add"), found, follow=True)
    assert "Step 2 of “Nights” pages nobody. The administrators are paged instead." in answer.content.decode()
    policy = make_policy("Days", steps=[gone])
    step = policy.steps.get()
    same = step_fields(0, pk=step.pk, policy=policy.pk, place=1, wait="0 min", people=[gone.pk])
    answer = administrator.post(change(policy), policy_fields(same, initial=1, name="Days"), follow=True)
    assert "Step 1 of “Days”: Tom Berg has left." in answer.content.decode()
    empty = administrator.post(reverse("admin:incidents_escalationpolicy_add"), policy_fields(name="None"), follow=True)
    assert "“None” has no step." in empty.content.decode()


@pytest.mark.parametrize("wait", ["soon", "2 days", "-5 min", ""])
def test_a_wait_that_is_none_is_refused_with_what_to_write(administrator, wait):
    found = policy_fields(step_fields(0, wait=wait, roles=["security_lead"]))
    answer = administrator.post(reverse("admin:incidents_escalationpolicy_add"), found)
    assert answer.status_code == 200
    assert not EscalationPolicy.objects.filter(name="Nights").exists()


def test_a_second_default_is_refused_with_a_sentence(administrator):
    make_policy("First", default=True)
    answer = administrator.post(reverse("admin:incidents_escalationpolicy_add"), policy_fields(is_default="on"))
    assert "Take the mark off there first." in answer.content.decode()


def test_a_reader_sees_whom_the_steps_page():
    policy = make_policy(steps=[make_contact("Amara Okafor")])
    shown = page(signed_in("auditor"), change(policy))
    assert "Amara Okafor (person)" in shown
    assert 'name="steps-0-wait"' not in shown


def test_the_page_of_a_policy_needs_as_many_queries_for_ten_steps_as_for_two(
    administrator, django_assert_max_num_queries
):
    short = make_policy(steps=[make_contact() for _ in range(2)])
    long = make_policy(steps=[make_contact() for _ in range(10)])
    page(administrator, change(short))
    with django_assert_max_num_queries(40) as few:
        page(administrator, change(short))
    with django_assert_max_num_queries(40) as many:
        page(administrator, change(long))
    assert len(many) == len(few)


# Intake


def test_a_new_address_is_shown_once(administrator):
    found = {"name": "Prometheus", "kind": "alertmanager", "reopen_minutes": 30, "change_reason": "It watches us"}
    add = reverse("admin:incidents_intaketoken_add")
    assert administrator.post(add, found)["Location"].startswith("/confirm/")
    confirm(administrator)
    answer = administrator.post(add, found)
    shown = answer.content.decode()
    secret = re.search(r"/intake/([\w-]{30,})/", shown)[1]
    assert "no-store" in answer.headers["Cache-Control"]
    assert Client().post(f"/intake/{secret}/", body("v4_firing"), "application/json").status_code == 200
    token = IntakeToken.objects.get()
    for address in (change(token), reverse("admin:incidents_intaketoken_history", args=[token.pk])):
        assert secret not in page(administrator, address)
        assert token.digest not in page(administrator, address)


def test_an_address_is_revoked_by_a_button_that_asks_why(administrator):
    token, secret = make_token()
    address = reverse("incidents:act-on-source", args=[token.pk, "revoke"])
    assert f'href="{address}"' in page(administrator, change(token))
    assert "Revoke address" in page(administrator, address)
    refused = administrator.post(address, {"change_reason": " "})
    assert (refused.status_code, "Say why" in refused.content.decode()) == (422, True)
    assert administrator.post(address, {"change_reason": "It leaked"}, follow=True).status_code == 200
    assert Client().post(f"/intake/{secret}/", b"{}", "application/json").status_code == 404
    assert token.history.first().history_change_reason == "It leaked"
    assert f'href="{address}"' not in page(administrator, change(token))


def test_only_administrators_revoke():
    token, _ = make_token()
    address = reverse("incidents:act-on-source", args=[token.pk, "revoke"])
    for role in ("responder", "auditor", "manager"):
        assert signed_in(role).post(address).status_code == 403
    token.refresh_from_db()
    assert token.revoked_at is None


@pytest.mark.parametrize(
    "found",
    [
        b"<script>alert(1)</script>",
        b"\xff\xfe\x00\x1b[31m",
        json.dumps({"a": "<img src=x onerror=alert(1)>"}).encode(),
        b"[" * 90_000,
        b"",
        b"x" * 300_000,
    ],
)
def test_a_kept_body_is_shown_as_text(administrator, found):
    _, secret = make_token()
    Client().post(f"/intake/{secret}/", found, "application/json")
    shown = page(administrator, change(IntakeDelivery.objects.get()))
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
    assert "\x00" not in shown
    assert "\x1b" not in shown


def test_a_mapping_means_a_system_or_a_severity(administrator):
    found = {"label": "team", "value": "x", "position": 5, "active": "on"}
    answer = administrator.post(reverse("admin:incidents_intakemapping_add"), found)
    assert "Choose the system or the severity that this label means." in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_edit_of_the_words_never_takes_back_what_a_verb_did_meanwhile(administrator):
    """The form holds the record's lock while it is saved; SQLite lets one writer in at a time anyhow."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no row locks: BEGIN IMMEDIATE keeps the second writer out.")
    incident = make_incident()
    fields = {"title": "Better words", "description": "", "change_reason": "", "responders-TOTAL_FORMS": "0"}
    with CaptureQueriesContext(connection) as queries:
        administrator.post(change(incident), {**fields, "responders-INITIAL_FORMS": "0"})
    incident.refresh_from_db()
    assert incident.title == "Better words"
    loaded = [q["sql"] for q in queries if q["sql"].startswith("SELECT") and 'FROM "incidents_incident"' in q["sql"]]
    locked = next(number for number, sql in enumerate(loaded) if "FOR UPDATE" in sql)
    assert len(loaded) > locked + 1
