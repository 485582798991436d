"""Every role tries every transition on every path: what is forbidden is refused with its sentence and moves nothing.

The paths are the page, the record page and its bulk actions, the call of a token, a form over the model and the
service. Each attempt is rolled back, so that everybody meets the same change.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.forms import modelform_factory
from django.urls import reverse

from changes import services
from changes.approving import CHANGE
from changes.enums import Status
from changes.models import Change
from changes.policy import TRANSITIONS, Refused, next_status
from changes.services import Plan
from changes.services.common import NO_PART
from portal.accounts.models import User
from portal.approvals import policy as approvals
from portal.approvals.models import Decision
from portal.lib import clock
from tests.factories.accounts import confirm
from tests.factories.approvals import make_person
from tests.factories.changes import (
    HOUR,
    decide_all,
    fill_matrix,
    make_approved,
    make_assessed,
    make_change,
    make_emergency,
    pass_gates,
    request_of,
    settle,
)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
BACKEND = "django.contrib.auth.backends.ModelBackend"
NOBODY_ELSE = "Only people with the role Change approver decide at stage 1, Change authority."
WORKERS = {
    *("requester", "implementer", "superuser who requests", "superuser who implements"),
    *("approver", "manager", "responder", "security lead", "administrator", "superuser"),
}
READERS = {"auditor", "nobody"}
PEOPLE = (*sorted(WORKERS), *sorted(READERS))


@dataclass(frozen=True)
class Row:
    """One transition: the change that it fits, who may, and the sentences for those who may not."""

    verb: str
    make: Callable[[World], Change]
    words: Callable[[World, Change], dict[str, Any]]
    may: Collection[str]
    otherwise: str = ""
    refusals: tuple[tuple[str, str], ...] = ()
    slug: str = ""

    def sentence(self, name: str) -> str:
        """Return how the service refuses somebody; "" when it does not."""
        if name in self.may:
            return ""
        return dict(self.refusals).get(name) or (NO_PART if name in READERS else self.otherwise)


class World:
    """One of each role. Two superusers request and carry out changes of their own."""

    def __init__(self) -> None:
        self.now = clock.now()
        slugs = {
            "requester": "change-approver", "implementer": "change-approver", "approver": "change-approver",
            "superuser who requests": "change-approver", "superuser who implements": "change-approver",
            "manager": "manager", "responder": "responder", "security lead": "security-lead",
            "administrator": "administrator", "auditor": "auditor",
        }  # fmt: skip
        self.people = {
            name: make_person(
                f"{name.title()} Person", *filter(None, [slugs.get(name)]), is_superuser="superuser" in name
            )
            for name in PEOPLE
        }
        self.slot = {"planned_start": self.now + HOUR, "planned_end": self.now + 2 * HOUR}

    def given(self, name: str = "") -> dict[str, Any]:
        """Return what a change is made of: requested or carried out by a superuser when that is who tries."""
        requester = name if name == "superuser who requests" else "requester"
        implementer = name if name == "superuser who implements" else "implementer"
        people = {"by": self.people[requester], "implementer": self.people[implementer]}
        return {**people, **self.slot, "at": self.now - HOUR}


def submitted(world: World, **given: Any) -> Change:
    change = make_change(**given)
    return services.submit(change, by=change.requester, at=world.now - HOUR)


def approved(world: World, **given: Any) -> Change:
    change = make_approved(**given)
    fill_matrix(change, at=world.now - HOUR)
    pass_gates(change, at=world.now - HOUR)
    return change


def scheduled(world: World, **given: Any) -> Change:
    return services.schedule(change := approved(world, **given), by=change.requester, at=world.now - HOUR)


def begun(world: World, **given: Any) -> Change:
    given |= {"planned_start": world.now - HOUR / 2, "planned_end": world.now + HOUR}
    change = scheduled(world, **given)
    return services.start(change, by=change.implementer, at=world.now - HOUR / 2)


def startable(world: World, **given: Any) -> Change:
    return scheduled(world, **given | {"planned_start": world.now - HOUR / 4, "planned_end": world.now + HOUR})


def worked(world: World, **given: Any) -> Change:
    settle(change := begun(world, **given), at=world.now)
    return change


def verifying(world: World, **given: Any) -> Change:
    change = worked(world, **given)
    return services.verify(change, by=change.implementer, at=world.now)


def decision(_world: World, change: Change) -> dict[str, Any]:
    return {"digest": request_of(change).digest, "confirmed": True, "reason": "Because"}


def reason(_world: World, _change: Change) -> dict[str, Any]:
    return {"reason": "Because"}


def nothing(_world: World, _change: Change) -> dict[str, Any]:
    return {}


DECIDERS = (
    ("requester", approvals.OWN), ("superuser who requests", approvals.OWN), ("implementer", approvals.IMPLEMENTER),
    ("superuser who implements", approvals.IMPLEMENTER), ("auditor", NOBODY_ELSE), ("nobody", NOBODY_ELSE),
)  # fmt: skip
REQUESTERS = {"requester", "superuser who requests"}
IMPLEMENTERS = {"implementer", "superuser who implements"}
ROWS = {
    row.verb: row
    for row in (
        Row("submit", lambda w, **g: make_change(**g), nothing, REQUESTERS, "who requests it, submits it."),
        Row("assess", submitted, lambda w, _: {"impact": 1, "likelihood": 2}, WORKERS - REQUESTERS - IMPLEMENTERS,
            "yourself. Somebody else assesses its risk: it chooses who decides."),
        Row("approve", lambda w, **g: make_assessed(**g), decision, {"approver"}, NOBODY_ELSE, DECIDERS, "decide"),
        Row("reject", lambda w, **g: make_assessed(**g), decision, {"approver"}, NOBODY_ELSE, DECIDERS, "decide"),
        Row("schedule", approved, nothing, WORKERS),
        Row("start", startable, nothing, IMPLEMENTERS, "carries it out and starts it."),
        Row("start_emergency", lambda w, **g: make_emergency(**g),
            lambda w, _: {"authority": w.people["approver"], "reason": "It burns"}, WORKERS, slug="emergency"),
        Row("verify", worked, nothing, WORKERS),
        Row("roll_back", begun, reason, WORKERS, slug="rollback"),
        Row("close", verifying, lambda w, _: {"outcome": "successful"}, WORKERS),
        Row("cancel", scheduled, reason, WORKERS),
    )
}  # fmt: skip


@contextmanager
def tried() -> Iterator[None]:
    """Let nothing of an attempt stay."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def stand(change: Change) -> tuple[Any, ...]:
    found = Change.objects.values_list("status", "version", "started_at", "rolled_back_at", "approved_at", "title").get(
        pk=change.pk
    )
    return (*found, Decision.objects.count())


def enter(client: Any, person: User) -> Any:
    client.force_login(person, backend=BACKEND)
    confirm(client)
    return client


def by_service(row: Row, world: World, change: Change, name: str, _client: Any) -> None:
    words = {"by": world.people[name], "at": world.now, **row.words(world, change)}
    before, sentence = stand(change), row.sentence(name)
    if not sentence:
        getattr(services, row.verb)(change, **words)
        assert stand(change) != before
        return
    with pytest.raises(Refused) as refused, transaction.atomic():
        getattr(services, row.verb)(change, **words)
    assert sentence in str(refused.value)
    assert stand(change) == before


def by_page(row: Row, world: World, change: Change, name: str, client: Any) -> None:
    """403 with the sentence for whoever has no part; whoever sees no changes is told that there is none."""
    before, sentence = stand(change), row.sentence(name)
    words = row.words(world, change)
    data = {key: getattr(value, "pk", value) for key, value in words.items() if key != "confirmed"}
    if row.slug == "decide":
        stage = request_of(change).stages.get(state="open")
        data |= {"stage": stage.pk, "verdict": row.verb}
    address = f"{change.get_absolute_url()}{row.slug or row.verb}/"
    response = enter(client, world.people[name]).post(address, {"once": str(uuid.uuid4()), **data})
    if not sentence:
        assert response.status_code == 302, response.content.decode()
        assert stand(change) != before
        return
    assert stand(change) == before
    assert response.status_code in ({403, 404} if name in READERS else {403, 422})
    if name not in READERS:
        assert sentence in response.content.decode().replace("&#x27;", "'")


def by_record_page(row: Row, world: World, change: Change, name: str, client: Any) -> None:
    """The record page takes nothing, from anybody, a superuser included."""
    before, target = stand(change), next(iter(TRANSITIONS["start"].values()))
    address = reverse("admin:changes_change_change", args=[change.pk])
    data = {"status": target, "title": "Another", "approved_by": str(world.people[name]), "change_reason": "So be it"}
    assert enter(client, world.people[name]).post(address, data).status_code in {302, 403}
    assert stand(change) == before


def by_bulk_action(row: Row, world: World, change: Change, name: str, client: Any) -> None:
    """There is no bulk action for changes; that of approvals tells each why not."""
    before, sentence = stand(change), row.sentence(name)
    signed_in = enter(client, world.people[name])
    for action in (row.verb, f"{row.verb}_selected", "delete_selected"):
        signed_in.post(reverse("admin:changes_change_changelist"), {"action": action, "_selected_action": [change.pk]})
        assert stand(change) == before
    if row.verb != "approve":
        return
    request = request_of(change)
    data = {
        "action": "approve_selected", "_selected_action": [request.pk], "approve": "1",
        f"digest-{request.pk}": request.digest, f"stage-{request.pk}": request.stages.get(state="open").pk,
    }  # fmt: skip
    address = reverse("admin:approvals_approvalrequest_changelist")
    signed_in.post(address, data)
    assert Decision.objects.count() == (0 if sentence else 1)
    if sentence and name not in READERS:
        told = [str(message) for message in signed_in.get(address).context["messages"]]
        assert told == [f"{request.reference}: {sentence}"]


def by_token(row: Row, world: World, change: Change, name: str, client: Any) -> None:
    """A token reports gates, and nothing else; of the approval it is told that the portal alone ticks it."""
    before = stand(change)
    _, secret = services.hand_out_token(name, by=world.people["administrator"], at=world.now, reason="Gates")
    client.logout()
    headers = {"Authorization": f"Bearer {secret}"}
    body = json.dumps({"commit": "5d1e0a4", "result": "passed"})
    asked = {"content_type": "application/json", "headers": headers}
    answer = client.post(f"/changes/{change.reference}/gates/approval/", body, **asked)
    assert answer.status_code == 409
    assert "ticked by the portal alone" in answer.json()["message"]
    for address in (row.slug or row.verb, "edit", "matrix"):
        answer = client.post(f"{change.get_absolute_url()}{address}/", body, **asked)
        assert answer.status_code == 302
        assert answer.url.startswith("/sign-in/")
    assert stand(change) == before


def by_form(row: Row, world: World, change: Change, name: str, _client: Any) -> None:
    """A form over the model, such as an import would build, has no field that moves a change."""
    before = stand(change)
    form = modelform_factory(Change, fields="__all__")
    data = {"status": Status.IN_PROGRESS, "approved_by": name, "started_by": name, "title": change.title}
    bound = form({**form(instance=change).initial, **data}, instance=Change.objects.get(pk=change.pk))
    assert not set(bound.fields) & {"status", "requester", "authority", "outcome", "version", "submitted_text"}
    assert not [field for field in bound.fields if field.endswith(("_at", "_by"))]
    bound.is_valid()
    bound.save()
    assert stand(change) == before


OF_NOBODY = {"token", "form"}
"""What acts on these paths has no role: they are tried once."""
PATHS = {
    "page": by_page,
    "record page": by_record_page,
    "bulk action": by_bulk_action,
    "token": by_token,
    "form": by_form,
    "service": by_service,
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("verb", ROWS)
def test_each_role_does_what_it_may_and_is_told_why_not(verb, path, client):
    row, world = ROWS[verb], World()
    own = ("superuser who requests", "superuser who implements") if path in {"page", "bulk action", "service"} else ()
    changes = {name: row.make(world, **world.given(name)) for name in ("", *own)}
    for name in ("administrator",) if path in OF_NOBODY else PEOPLE:
        with tried():
            PATHS[path](row, world, changes.get(name, changes[""]), name, client)


def in_each_state(world: World) -> dict[str, Change]:
    given = world.given()
    rejected = make_assessed(**given)
    words = {"digest": request_of(rejected).digest, "confirmed": True, "reason": "Too soon"}
    closed, cancelled = verifying(world, **given), make_change(**given)
    return {
        Status.DRAFT: make_change(**given),
        Status.SUBMITTED: submitted(world, **given),
        Status.ASSESSED: make_assessed(**given),
        Status.APPROVED: approved(world, **given),
        Status.REJECTED: services.reject(rejected, by=world.people["approver"], at=world.now - HOUR, **words),
        Status.SCHEDULED: scheduled(world, **given),
        Status.IN_PROGRESS: begun(world, **given),
        Status.VERIFYING: verifying(world, **given),
        Status.CLOSED: services.close(closed, outcome="successful", by=closed.requester, at=world.now),
        Status.CANCELLED: services.cancel(cancelled, by=cancelled.requester, at=world.now, reason="No"),
    }


def test_a_verb_that_does_not_fit_is_refused_with_its_sentence_on_page_and_service(client):
    world = World()
    for status, change in in_each_state(world).items():
        assert change.status == status
        for verb in ("submit", "assess", "schedule", "start", "verify", "roll_back", "close", "cancel"):
            row, said = ROWS[verb], verb.replace("_", " ")
            if status in TRANSITIONS[said]:
                continue
            with pytest.raises(Refused) as machine:
                next_status(said, status)
            by = {"submit": change.requester, "start": change.implementer}.get(verb, world.people["approver"])
            with pytest.raises(Refused) as refused:
                getattr(services, verb)(change, by=by, at=world.now, **row.words(world, change))
            assert str(refused.value) == str(machine.value)
            data = {"once": str(uuid.uuid4()), **row.words(world, change)}
            page = enter(client, by).post(f"{change.get_absolute_url()}{row.slug or verb}/", data)
            assert page.status_code == 422
            assert str(machine.value) in page.content.decode().replace("&#x27;", "'")
            assert Change.objects.get(pk=change.pk).status == status


def test_content_that_was_approved_and_then_written_through_a_form_is_not_carried_out(client):
    world = World()
    change = startable(world, **world.given())
    form = modelform_factory(Change, fields=["test_plan"])({"test_plan": "Hope."}, instance=change)
    form.save()
    with pytest.raises(Refused, match="not approved as it stands"):
        services.start(change, by=change.implementer, at=world.now)


@pytest.mark.parametrize("name", ["implementer", "superuser who implements"])
def test_the_implementer_decides_in_no_stage_least_of_all_in_the_last(name):
    world = World()
    change = make_assessed(impact=4, likelihood=4, **world.given(name))
    assert change.risk_level == "high"
    request = request_of(change)
    words = {"digest": request.digest, "confirmed": True, "at": world.now}
    change = services.approve(change, by=world.people["manager"], **words)
    assert request_of(change).stages.get(state="open").position == 2
    with pytest.raises(Refused, match="You carry this out yourself"):
        services.approve(change, by=world.people[name], **words)
    assert decide_all(change, at=world.now).status == Status.APPROVED
    request.refresh_from_db()
    assert request.digest == CHANGE.digest(CHANGE.read(change.pk))


@pytest.mark.parametrize("name", sorted(READERS))
def test_who_has_no_part_edits_and_drafts_nothing(name, client):
    world = World()
    change = make_change(**world.given())
    acts = (
        lambda: services.revise(change, Plan({"title": "Mine"}), by=world.people[name], at=world.now),
        lambda: services.draft(Plan({"title": "Mine"}), by=world.people[name], at=world.now),
        lambda: services.add_note(change, text="Mine", by=world.people[name], at=world.now),
    )
    for act in acts:
        with pytest.raises(Refused, match="Only people who work on changes"):
            act()
    assert enter(client, world.people[name]).post(f"{change.get_absolute_url()}edit/").status_code in {403, 404}
    assert client.post("/changes/draft/").status_code == 403
    assert Change.objects.get().title == change.title
