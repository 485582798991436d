"""Every forbidden decision is refused with its sentence and writes nothing, whichever way it comes.

The ways are the page, the record page, the bulk action, the service and the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from portal.accounts.models import User
from portal.approvals import policy, registry, services
from portal.approvals.models import ApprovalRequest, Decision, Stage
from portal.approvals.policy import NotYours, Refused
from portal.approvals.sweeps import sweep_approvals
from portal.audit.models import TrailRow
from portal.lib import clock
from tests.factories.accounts import confirm
from tests.factories.approvals import REASON, decide, make_objective, make_person, open_stage, set_stages

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
PATHS = ("page", "record page", "bulk action", "service", "database")
MANAGERS_ONLY = "Only people with the role Manager decide at stage 1, Management."
NOT_OPEN = "Stage 2, Change authority, is not open yet. The stages before it decide first."
DECIDED = "Stage 1, Management, is decided already."
MOVED = "RTO: 60 min (1 h) > 120 min (2 h)"
HOUR = timedelta(hours=1)


@dataclass
class Attempt:
    """A decision that must be refused. Whatever is not given is as it should be."""

    request: ApprovalRequest
    by: User
    stage: Stage | None = None
    verdict: str = "approve"
    reason: str = ""
    digest: str = ""
    confirmed: bool = True
    at: datetime = field(default_factory=clock.now)

    def __post_init__(self) -> None:
        self.stage = self.stage or open_stage(self.request)
        self.digest = self.digest or self.request.digest


@dataclass(frozen=True)
class Case:
    """How a forbidden decision comes about, the sentence, what the database says, and the paths that do not exist.

    `status` is what the page answers: 403 to whoever decides at none of the stages. `after` is the state that a service
    leaves where it voids; where nobody acts, such as on a page that is only opened, nothing is written.
    """

    arrange: Callable[[World], Attempt]
    sentence: str
    database: str = ""
    without: tuple[str, ...] = ()
    status: int = 422
    after: str = ""


class World:
    """A request of Kwame's on a recovery objective: first a manager decides, then a change approver."""

    def __init__(self) -> None:
        self.now = clock.now()
        self.kwame = make_person("Kwame Mensah", "administrator")
        self.hannah = make_person("Hannah Whitcombe", "manager")
        self.ines = make_person("Ines Halloran", "manager")
        self.arjun = make_person("Arjun Mehta", "change-approver")
        self.leila = make_person("Leila Nasser", "security-lead")
        set_stages("objective", ("Management", "Manager", 1), ("Change authority", "Change approver", 1))

    def ask(self, by: User | None = None, *, ago: timedelta = HOUR, **fields: Any) -> ApprovalRequest:
        return services.ask(
            fields.pop("subject", None) or make_objective(),
            by=by or self.kwame, at=self.now - ago, reason=REASON, **fields,
        )  # fmt: skip

    def edit(self, request: ApprovalRequest) -> None:
        objective = registry.of_kind("objective").read(request.subject_id)
        objective.rto_minutes = 120
        objective.save()


def own(world: World) -> Attempt:
    return Attempt(world.ask(by=world.hannah), world.hannah)


def own_of_a_superuser(world: World) -> Attempt:
    root = make_person("Root Toor", "manager", is_superuser=True)
    return Attempt(world.ask(by=root), root)


def implemented_by_oneself(world: World) -> Attempt:
    return Attempt(world.ask(implementer=world.hannah), world.hannah)


def implemented_by_a_superuser(world: World) -> Attempt:
    root = make_person("Root Toor", "manager", is_superuser=True)
    return Attempt(world.ask(implementer=root), root)


def implementer_in_the_last_stage(world: World) -> Attempt:
    make_person("Second Approver", "change-approver")
    request = decide(world.ask(implementer=world.arjun), world.hannah, at=world.now)
    return Attempt(request, world.arjun)


def implementer_since_the_first_approval(world: World) -> Attempt:
    request = decide(world.ask(), world.hannah, at=world.now)
    request = services.reassign(request, implementer=world.hannah, by=world.kwame, at=world.now, reason="Ines is ill")
    return Attempt(request, world.hannah)


def wrong_role(world: World) -> Attempt:
    return Attempt(world.ask(), world.leila)


def an_auditor(world: World) -> Attempt:
    return Attempt(world.ask(), make_person("Siobhan Kearney", "auditor"))


def an_auditor_of_a_changed_record(world: World) -> Attempt:
    request = world.ask()
    world.edit(request)
    return Attempt(request, make_person("Siobhan Kearney", "auditor"))


def requester_of_a_changed_record(world: World) -> Attempt:
    request = world.ask(by=world.hannah)
    world.edit(request)
    return Attempt(request, world.hannah)


def a_superuser_without_the_role(world: World) -> Attempt:
    return Attempt(world.ask(), make_person("Root Toor", is_superuser=True))


def twice_at_one_stage(world: World) -> Attempt:
    set_stages("objective", ("Management", "Manager", 2), ("Change authority", "Change approver", 1))
    return Attempt(decide(world.ask(), world.hannah, at=world.now), world.hannah)


def twice_at_two_stages(world: World) -> Attempt:
    both = make_person("Both Hats", "manager", "change-approver")
    return Attempt(decide(world.ask(), both, at=world.now), both)


def a_stage_that_is_not_open_yet(world: World) -> Attempt:
    request = world.ask()
    return Attempt(request, world.arjun, stage=request.stages.get(position=2))


def a_stage_that_has_decided(world: World) -> Attempt:
    request = decide(world.ask(), world.hannah, at=world.now)
    return Attempt(request, world.ines, stage=request.stages.get(position=1))


def late_though_no_sweep_has_noticed(world: World) -> Attempt:
    return Attempt(world.ask(ago=100 * HOUR), world.hannah)


def expired(world: World) -> Attempt:
    request = world.ask(ago=100 * HOUR)
    sweep_approvals(at=world.now)
    return Attempt(request, world.hannah, stage=request.stages.get(position=1))


def void(world: World) -> Attempt:
    request = world.ask()
    world.edit(request)
    services.notice(request, at=world.now)
    return Attempt(request, world.hannah, stage=request.stages.get(position=1))


def changed_a_moment_ago(world: World) -> Attempt:
    request = world.ask()
    world.edit(request)
    return Attempt(request, world.hannah)


def denied(world: World) -> Attempt:
    request = decide(world.ask(), world.ines, "deny", at=world.now, reason="Too short")
    return Attempt(request, world.hannah, stage=request.stages.get(position=1))


def withdrawn(world: World) -> Attempt:
    request = world.ask()
    services.withdraw(request, by=world.kwame, at=world.now, reason="A mistake")
    return Attempt(request, world.hannah, stage=request.stages.get(position=1))


def approved(world: World) -> Attempt:
    request = decide(decide(world.ask(), world.hannah, at=world.now), world.arjun, at=world.now)
    return Attempt(request, world.ines, stage=request.stages.get(position=1))


def final(world: World) -> Attempt:
    objective = make_objective()
    request = decide(decide(world.ask(subject=objective), world.hannah, at=world.now), world.arjun, at=world.now)
    services.finalise(objective, by=world.kwame, at=world.now)
    return Attempt(request, world.ines, stage=request.stages.get(position=1))


def another_digest(world: World) -> Attempt:
    return Attempt(world.ask(), world.hannah, digest="0" * 64)


def the_digest_of_an_earlier_request(world: World) -> Attempt:
    first = world.ask()
    world.edit(first)
    services.notice(first, at=world.now)
    objective = registry.of_kind("objective").read(first.subject_id)
    return Attempt(world.ask(subject=objective), world.hannah, digest=first.digest)


def a_denial_without_a_reason(world: World) -> Attempt:
    return Attempt(world.ask(), world.hannah, verdict="deny", reason="  ")


def without_confirmation(world: World) -> Attempt:
    return Attempt(world.ask(), world.hannah, confirmed=False)


def a_closed_account(world: World) -> Attempt:
    request = world.ask()
    world.hannah.is_active = False
    world.hannah.save()
    return Attempt(request, world.hannah)


OWN = "Decision: nobody decides on their own request"
IMPLEMENTED = "Decision: nobody decides on what they implement"
ONCE = "one_decision_per_person|UNIQUE constraint failed|replacing a row"
NOT_PENDING = "Decision: the request is not pending"
PROVEN_ROLE = "Decision: the decider has not the role of the stage"
SHOWN = "Decision: the digest is not that of what the request shows"
CHANGED = f"The record was changed after it was shown, so this request is void. Changed: {MOVED}."
EARLIER = f"{policy.NOT_WHAT_IS_SHOWN} Changed since APR-000001: {MOVED}."

CASES = {
    own: Case(own, policy.OWN, OWN),
    own_of_a_superuser: Case(own_of_a_superuser, policy.OWN, OWN),
    implemented_by_oneself: Case(implemented_by_oneself, policy.IMPLEMENTER, IMPLEMENTED),
    implemented_by_a_superuser: Case(implemented_by_a_superuser, policy.IMPLEMENTER, IMPLEMENTED),
    implementer_in_the_last_stage: Case(implementer_in_the_last_stage, policy.IMPLEMENTER, IMPLEMENTED),
    implementer_since_the_first_approval: Case(implementer_since_the_first_approval, policy.IMPLEMENTER, IMPLEMENTED),
    wrong_role: Case(wrong_role, MANAGERS_ONLY, PROVEN_ROLE, status=403),
    an_auditor: Case(an_auditor, MANAGERS_ONLY, PROVEN_ROLE, status=403),
    an_auditor_of_a_changed_record: Case(an_auditor_of_a_changed_record, MANAGERS_ONLY, PROVEN_ROLE, status=403),
    requester_of_a_changed_record: Case(requester_of_a_changed_record, policy.OWN, OWN),
    a_superuser_without_the_role: Case(a_superuser_without_the_role, MANAGERS_ONLY, PROVEN_ROLE, status=403),
    twice_at_one_stage: Case(twice_at_one_stage, policy.TWICE, ONCE),
    twice_at_two_stages: Case(twice_at_two_stages, policy.TWICE, ONCE),
    a_stage_that_is_not_open_yet: Case(a_stage_that_is_not_open_yet, NOT_OPEN, "Decision: the stage is not open"),
    a_stage_that_has_decided: Case(a_stage_that_has_decided, DECIDED, "Decision: the stage is not open"),
    late_though_no_sweep_has_noticed: Case(
        late_though_no_sweep_has_noticed, policy.LATE, "Decision: the time to decide has passed"
    ),
    expired: Case(expired, policy.OVER["expired"], NOT_PENDING),
    void: Case(void, CHANGED, NOT_PENDING),
    changed_a_moment_ago: Case(
        changed_a_moment_ago,
        CHANGED,
        without=("database",),  # it does not read the record; the sweep voids the request within a minute
        after="voided",
    ),
    denied: Case(denied, policy.OVER["denied"], NOT_PENDING),
    withdrawn: Case(withdrawn, policy.OVER["withdrawn"], NOT_PENDING),
    approved: Case(approved, policy.OVER["approved"], NOT_PENDING),
    final: Case(final, policy.OVER["final"], NOT_PENDING),
    another_digest: Case(another_digest, policy.NOT_WHAT_IS_SHOWN, SHOWN, without=("record page",)),
    the_digest_of_an_earlier_request: Case(the_digest_of_an_earlier_request, EARLIER, SHOWN, without=("record page",)),
    a_denial_without_a_reason: Case(
        a_denial_without_a_reason, policy.NO_REASON, "a denial says why", without=("record page", "bulk action")
    ),
    without_confirmation: Case(without_confirmation, policy.UNCONFIRMED, without=("record page", "database")),
    a_closed_account: Case(a_closed_account, policy.CLOSED_ACCOUNT, "Decision: the decider has no open account"),
}
TABLE = [
    pytest.param(case, path, id=f"{arrange.__name__}: {path}")
    for arrange, case in CASES.items()
    for path in PATHS
    if path not in case.without
]


@pytest.mark.parametrize(("case", "path"), TABLE)
def test_a_forbidden_decision_is_refused_with_its_sentence(case, path, client):
    attempt = case.arrange(World())
    state, decisions = state_of(attempt.request), list(Decision.objects.values())

    TRY[path](case, attempt, client)

    assert list(Decision.objects.values()) == decisions
    assert state_of(attempt.request) == (case.after if case.after and path != "record page" else state)


def state_of(request: ApprovalRequest) -> str:
    return ApprovalRequest.objects.get(pk=request.pk).state


def by_service(case: Case, attempt: Attempt, client: Any) -> None:
    with pytest.raises(Refused) as refused:
        services.decide(
            attempt.request, stage=attempt.stage, verdict=attempt.verdict, reason=attempt.reason,
            digest=attempt.digest, confirmed=attempt.confirmed, by=attempt.by, at=attempt.at,
        )  # fmt: skip
    assert str(refused.value) == case.sentence


def enter(attempt: Attempt, client: Any) -> None:
    client.force_login(attempt.by, backend="django.contrib.auth.backends.ModelBackend")
    if attempt.confirmed:
        confirm(client)


def led_away(attempt: Attempt, response: Any) -> bool:
    """Whether the reader is led to the sign-in or to the confirmation in place of being answered."""
    if not attempt.by.is_active:
        assert response.url.startswith(("/sign-in/", "/admin/login/"))
        return True
    if not attempt.confirmed:
        assert response.url.startswith(reverse("accounts:confirm"))
        return True
    return False


def told(response: Any) -> str:
    return response.content.decode().replace("&gt;", ">").replace("&#x27;", "'")


def by_page(case: Case, attempt: Attempt, client: Any) -> None:
    enter(attempt, client)
    data = {
        "once": "5d1e0a4c-0000-4000-8000-000000000001", "stage": attempt.stage.pk, "digest": attempt.digest,
        "verdict": attempt.verdict, "reason": attempt.reason,
    }  # fmt: skip
    response = client.post(reverse("approvals:decide", args=[attempt.request.reference]), data)
    if led_away(attempt, response):
        return
    assert response.status_code == case.status
    assert case.sentence in told(response)


def by_record_page(case: Case, attempt: Attempt, client: Any) -> None:
    """The record page shows no way to decide, and its form takes nothing."""
    enter(attempt, client)
    address = reverse("admin:approvals_approvalrequest_change", args=[attempt.request.pk])
    page = client.get(address)
    if led_away(attempt, page):
        return
    assert page.status_code == 200
    assert "Read and decide" not in told(page)
    assert client.post(address, {"state": "approved", "change_reason": "So be it"}).status_code == 403


def by_bulk_action(case: Case, attempt: Attempt, client: Any) -> None:
    enter(attempt, client)
    data = {
        "action": "approve_selected", "_selected_action": [attempt.request.pk], "approve": "1",
        f"digest-{attempt.request.pk}": attempt.digest, f"stage-{attempt.request.pk}": attempt.stage.pk,
    }  # fmt: skip
    response = client.post(reverse("admin:approvals_approvalrequest_changelist"), data)
    if led_away(attempt, response):
        return
    assert response.status_code == 302
    shown = [str(message) for message in client.get(response.url).context["messages"]]
    assert shown == [f"{attempt.request.reference}: {case.sentence}"]


def by_database(case: Case, attempt: Attempt, client: Any) -> None:
    """Whoever writes SQL, with true copies, is refused all the same."""
    request = ApprovalRequest.objects.get(pk=attempt.request.pk)
    values = {
        "request_id": request.pk, "stage_id": attempt.stage.pk, "round": request.round, "decider_id": attempt.by.pk,
        "decided_by": str(attempt.by), "decided_at": attempt.at, "verdict": attempt.verdict, "reason": attempt.reason,
        "digest": attempt.digest, "requester_id": request.requester_id, "requester_name": request.requester_name,
        "implementer_id": request.implementer_id, "implementer_name": request.implementer_name,
        "origin": "", "address": "",
    }  # fmt: skip
    with pytest.raises(IntegrityError, match=case.database):
        insert(values)


def insert(values: dict[str, Any]) -> None:
    columns, holes = ", ".join(values), ", ".join(["%s"] * len(values))
    adapted = [
        connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
        for value in values.values()
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO approvals_decision ({columns}) VALUES ({holes})", adapted)


TRY = {
    "page": by_page,
    "record page": by_record_page,
    "bulk action": by_bulk_action,
    "service": by_service,
    "database": by_database,
}


def test_the_same_decision_is_accepted_when_nothing_forbids_it():
    world = World()
    attempt = Attempt(world.ask(), world.hannah)
    services.decide(
        attempt.request, stage=attempt.stage, verdict="approve", digest=attempt.digest, confirmed=True,
        by=world.hannah, at=attempt.at,
    )  # fmt: skip
    assert Decision.objects.get().decided_by == "Hannah Whitcombe"


@pytest.mark.parametrize(
    ("forged", "refusal"),
    [
        ({"requester_id": 999}, "Decision: the requester is not that of the request"),
        ({"requester_name": "Somebody else"}, "Decision: the requester is not that of the request"),
        ({"implementer_id": None, "implementer_name": ""}, "Decision: the implementer is not that of the request"),
        ({"round": 2}, "Decision: the round is not that of the request"),
    ],
)
def test_a_forged_copy_is_refused_by_the_database(forged, refusal):
    world = World()
    make_person("Third Manager", "manager")
    request = world.ask(by=world.hannah, implementer=world.ines)
    attempt = Attempt(request, world.hannah if "requester_id" in forged else world.ines)
    values = {
        "request_id": request.pk, "stage_id": attempt.stage.pk, "round": 1, "decider_id": attempt.by.pk,
        "decided_by": str(attempt.by), "decided_at": attempt.at, "verdict": "approve", "reason": "",
        "digest": request.digest, "requester_id": request.requester_id, "requester_name": request.requester_name,
        "implementer_id": request.implementer_id, "implementer_name": request.implementer_name,
        "origin": "", "address": "",
    }  # fmt: skip
    with pytest.raises(IntegrityError, match=refusal):
        insert({**values, **forged})


def test_what_is_opened_says_that_the_record_was_changed_and_writes_nothing(client):
    attempt = changed_a_moment_ago(World())
    enter(attempt, client)
    rows = TrailRow.objects.count()
    request = reverse("approvals:request", args=[attempt.request.reference])
    page = client.get(request)
    assert CHANGED in told(page)
    assert "Approve these words" not in told(page)
    read = {"action": "approve_selected", "_selected_action": [attempt.request.pk]}
    assert CHANGED in told(client.post(reverse("admin:approvals_approvalrequest_changelist"), read))
    assert state_of(attempt.request) == "pending"
    assert TrailRow.objects.count() == rows
    sweep_approvals(at=clock.now())
    assert state_of(attempt.request) == "voided"


# The other acts, by whoever has no part in them.

ACTS = {
    "withdraw": ({"reason": "So be it"}, "Only Kwame Mensah, who asked for it, can withdraw it."),
    "implementer": ({"reason": "So be it", "implementer": ""}, policy.NOT_TO_NAME),
}


@pytest.mark.parametrize("verb", ACTS)
@pytest.mark.parametrize("role", ["auditor", "responder", "change-approver"])
@pytest.mark.parametrize("changed", [False, True])
def test_an_act_on_a_request_of_others_is_refused_and_writes_nothing(verb, role, changed, client):
    world, (data, sentence) = World(), ACTS[verb]
    attempt = Attempt(world.ask(), make_person("Some Body", role))
    if changed:
        world.edit(attempt.request)
    enter(attempt, client)
    before = list(ApprovalRequest.history.values())
    address = reverse(f"approvals:{verb}", args=[attempt.request.reference])
    for response in (
        client.get(address),
        client.post(address, {"once": "5d1e0a4c-0000-4000-8000-000000000001", **data}),
    ):
        assert response.status_code == 403
        assert sentence in told(response)
    acts = {
        "withdraw": lambda: services.withdraw(attempt.request, by=attempt.by, at=world.now, reason="So be it"),
        "implementer": lambda: services.reassign(
            attempt.request, implementer=world.ines, by=attempt.by, at=world.now, reason="So be it"
        ),
    }
    with pytest.raises(NotYours) as refused:
        acts[verb]()
    assert str(refused.value) == sentence
    assert list(ApprovalRequest.history.values()) == before


@pytest.mark.parametrize("role", ["auditor", "responder"])
def test_only_whoever_may_change_a_record_asks_for_its_approval(role, client):
    world, by = World(), make_person("Some Body", role)
    with pytest.raises(NotYours, match="may change a record"):
        world.ask(by=by)
    assert not ApprovalRequest.objects.exists()


def test_a_record_that_names_its_decider_as_implementer_has_every_stage_decide_anew(monkeypatch):
    world = World()
    request = world.ask()
    kind = registry.of_kind("objective")
    monkeypatch.setitem(registry._kinds, "objective", replace(kind, implementer=lambda objective: world.hannah))
    attempt = Attempt(request, world.hannah)
    by_service(Case(own, policy.restarted(old="", new="Hannah Whitcombe")), attempt, None)
    request.refresh_from_db()
    assert (request.state, request.round, request.implementer_id) == ("pending", 2, world.hannah.pk)
    by_service(Case(own, policy.IMPLEMENTER), Attempt(request, world.hannah), None)


def test_the_system_decides_nothing():
    world = World()
    attempt = Attempt(world.ask(), world.hannah)
    with pytest.raises(Refused, match="Only somebody with an account"):
        services.decide(
            attempt.request, stage=attempt.stage, verdict="approve", digest=attempt.digest, confirmed=True,
            by="system: clocks", at=attempt.at,
        )  # fmt: skip
