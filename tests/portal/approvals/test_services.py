"""Asking, deciding in stages, and every way in which a request ends."""

from datetime import timedelta

import pytest

from portal.approvals import registry, services
from portal.approvals.enums import Stands
from portal.approvals.models import ApprovalRequest, ApprovalRule, Decision
from portal.approvals.policy import Refused
from portal.audit.models import TrailRow
from portal.deadlines.models import Deadline
from portal.directory.models import Contact
from portal.notify.models import Message
from tests.factories.approvals import (
    REASON,
    decide,
    make_objective,
    make_person,
    make_request,
    open_stage,
    set_stages,
)
from tests.factories.directory import NOON, make_severity, make_team

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def hannah():
    return make_person("Hannah Whitcombe", "manager")


@pytest.fixture
def arjun():
    return make_person("Arjun Mehta", "change-approver")


@pytest.fixture
def kwame():
    return make_person("Kwame Mensah", "administrator")


@pytest.fixture
def objective():
    return make_objective()


@pytest.fixture
def asked(hannah, arjun, kwame, objective):
    return make_request(by=kwame, subject=objective)


@pytest.fixture
def approved(asked, hannah, arjun):
    return decide(decide(asked, hannah), arjun)


def again(request):
    return ApprovalRequest.objects.get(pk=request.pk)


def states(request):
    return list(request.stages.order_by("position").values_list("state", flat=True))


def told(kind):
    rows = Message.objects.filter(kind=f"approval_{kind}", lane="inbox").order_by("pk")
    return sorted(row.contact.name for row in rows.select_related("contact"))


def edit(objective, minutes=120):
    objective.refresh_from_db()
    objective.rto_minutes = minutes
    objective.save()


# Asking


def test_a_request_shows_the_record_as_it_stands(asked, objective):
    assert asked.reference == "APR-000001"
    assert asked.title == f"Recovery objective of {objective.system}"
    assert asked.shown == (
        f"Record: recovery objective {objective.pk}\nSystem: {objective.system} ({objective.system.pk})\n"
        "RTO: 60 min (1 h)\nRPO: 15 min\n"
    )
    assert (asked.requester_name, asked.why, asked.state) == ("Kwame Mensah", REASON, "pending")
    assert asked.decide_by == NOON + 72 * HOUR


def test_the_first_stage_is_asked_and_the_others_wait(asked):
    assert states(asked) == ["open", "waiting"]
    assert told("asked") == ["Hannah Whitcombe"]
    body = Message.objects.filter(kind="approval_asked").first().body
    assert "Decide before Fri 20 Nov 2026, 12:00:00 GMT" in body
    assert REASON in body


def test_a_later_edit_of_the_rule_does_not_bend_what_is_under_way(asked, hannah, arjun):
    set_stages("objective", ("Nobody", "Auditor", 5))
    assert decide(decide(asked, hannah), arjun).state == "approved"


@pytest.mark.parametrize("live", ["pending", "approved"])
def test_what_is_asked_for_or_approved_is_not_asked_for_twice(live, asked, hannah, arjun, kwame, objective):
    if live == "approved":
        decide(decide(asked, hannah), arjun)
    with pytest.raises(Refused, match="APR-000001"):
        services.ask(objective, by=kwame, at=NOON + 2 * HOUR, reason="Again")


def test_what_was_changed_is_asked_for_anew_at_once(asked, kwame, objective):
    edit(objective)
    second = services.ask(objective, by=kwame, at=NOON + HOUR, reason="Longer now")
    assert (again(asked).state, second.state, second.reference) == ("voided", "pending", "APR-000002")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"reason": " "}, "Say in a sentence why"),
        ({"digest": "0" * 64}, "The record was changed while you read it"),
        ({"by": "system: clocks"}, "Only somebody with an account"),
    ],
)
def test_a_request_needs_a_person_a_reason_and_the_words_that_were_read(
    words, sentence, hannah, arjun, objective, kwame
):
    with pytest.raises(Refused, match=sentence):
        services.ask(objective, **{"by": kwame, "at": NOON, "reason": REASON, **words})
    assert not ApprovalRequest.objects.exists()


def test_what_nobody_else_could_decide_is_not_asked_for(hannah, arjun, objective):
    with pytest.raises(Refused, match=r"Stage 1, Management, needs 1 with the role Manager .* there are none"):
        services.ask(objective, by=hannah, at=NOON, reason=REASON)


def test_a_kind_without_stages_cannot_be_asked_for(kwame, objective):
    set_stages("objective")
    with pytest.raises(Refused, match="No stage decides on a recovery objective"):
        services.ask(objective, by=kwame, at=NOON, reason=REASON)


def test_a_record_that_nobody_registered_is_not_approved_here(kwame):
    with pytest.raises(Refused, match="A team is not approved here"):
        services.ask(make_team(), by=kwame, at=NOON, reason=REASON)


def test_a_closed_account_asks_for_nothing(hannah, arjun, kwame, objective):
    kwame.is_active = False
    kwame.save()
    with pytest.raises(Refused, match="This account is closed"):
        services.ask(objective, by=kwame, at=NOON, reason=REASON)


# Deciding


def test_stages_decide_in_their_order(asked, hannah, arjun):
    assert decide(asked, hannah).state == "pending"
    assert states(asked) == ["approved", "open"]
    assert told("asked") == ["Arjun Mehta", "Hannah Whitcombe"]
    done = decide(asked, arjun, at=NOON + 2 * HOUR)
    assert (done.state, done.settled_by, done.settled_at) == ("approved", "Arjun Mehta", NOON + 2 * HOUR)
    assert states(asked) == ["approved", "approved"]
    assert told("approved") == ["Kwame Mensah"]


def test_a_stage_waits_until_enough_have_approved(hannah, kwame):
    ines = make_person("Ines Halloran", "manager")
    set_stages("objective", ("Management", "Manager", 2))
    request = make_request(by=kwame)
    assert decide(request, hannah).state == "pending"
    assert states(request) == ["open"]
    assert decide(request, ines).state == "approved"


def test_one_denial_ends_it(asked, hannah, arjun):
    decide(asked, hannah)
    done = decide(asked, arjun, "deny", reason="  Two hours are enough.  ")
    assert (done.state, done.outcome, done.settled_by) == ("denied", "Two hours are enough.", "Arjun Mehta")
    assert states(asked) == ["approved", "denied"]
    assert told("denied") == ["Kwame Mensah"]


def test_a_denial_closes_the_stages_behind_it(asked, hannah):
    decide(asked, hannah, "deny", reason="No")
    assert states(asked) == ["denied", "closed"]


def test_a_decision_keeps_everything_about_itself(asked, hannah):
    decide(asked, hannah, reason="Rehearsed twice")
    made = Decision.objects.get()
    kept = (made.decider_id, made.decided_by, made.verdict, made.reason, made.digest, made.round)
    assert kept == (hannah.pk, "Hannah Whitcombe", "approve", "Rehearsed twice", asked.digest, 1)
    assert (made.requester_id, made.requester_name) == (asked.requester_id, "Kwame Mensah")
    assert made.gesture is not None
    assert made.origin == "command"


def test_a_decision_stands_on_the_trail(asked, hannah):
    decide(asked, hannah, reason="Rehearsed twice")
    row = TrailRow.objects.get(action="decided")
    assert (row.actor_name, row.reference, row.event) == (
        "Hannah Whitcombe",
        "APR-000001",
        "Approved stage 1, Management",
    )
    assert (row.reason, row.gesture) == ("Rehearsed twice", Decision.objects.get().gesture)


def test_the_stage_of_another_request_is_refused(asked, hannah, kwame):
    other = make_request(by=kwame)
    with pytest.raises(Refused, match="This stage belongs to another request"):
        decide(asked, hannah, stage=open_stage(other))


def test_messages_that_ask_are_taken_back_once_nothing_is_left_to_decide(asked, hannah):
    decide(asked, hannah, "deny", reason="No")
    waiting = Message.objects.filter(kind="approval_asked").exclude(lane="inbox")
    assert set(waiting.values_list("state", flat=True)) == {"cancelled"}


# What changes meanwhile


@pytest.mark.parametrize("live", ["pending", "approved"])
def test_an_edit_voids_what_is_live_and_tells_everybody_what_changed(live, asked, hannah, arjun, objective):
    decide(asked, hannah)
    if live == "approved":
        decide(asked, arjun)
    edit(objective)
    found = services.notice(again(asked), at=NOON + 3 * HOUR)
    assert (found.state, found.settled_by) == ("voided", "system: approvals")
    assert found.outcome.endswith("Changed: RTO: 60 min (1 h) > 120 min (2 h).")
    assert told("voided") == ["Arjun Mehta", "Hannah Whitcombe", "Kwame Mensah"]
    assert "- RTO: 60 min (1 h) > 120 min (2 h)\n" in Message.objects.filter(kind="approval_voided").first().body
    assert not Deadline.objects.filter(state="pending").exists()


def test_a_decision_on_a_record_that_was_just_changed_voids_the_request_though_it_is_refused(asked, hannah, objective):
    edit(objective)
    with pytest.raises(Refused, match="so this request is void"):
        decide(asked, hannah)
    assert again(asked).state == "voided"
    assert not Decision.objects.exists()


def test_an_edit_of_the_rows_of_a_record_voids_too(hannah, kwame):
    leila = make_person("Leila Nasser", "security-lead")
    severity = make_severity(1)
    request = make_request(by=kwame, subject=severity)
    decide(decide(request, hannah), leila)
    row = severity.clocks.get(clock="response")
    row.limit = 20
    row.save()
    found = services.notice(again(request), at=NOON + 2 * HOUR)
    assert found.outcome.endswith("Changed: Clock Response: 15 min > 20 min.")


def test_a_record_that_is_gone_voids_its_request(asked, objective):
    objective.delete()
    assert services.notice(again(asked), at=NOON + HOUR).state == "voided"


def test_what_stands_as_it_was_is_left_alone(asked):
    before = again(asked)
    services.notice(asked, at=NOON + HOUR)
    assert again(asked).__dict__.items() >= {"state": before.state, "settled_at": None}.items()
    assert asked.history.count() == 1


def test_a_new_implementer_voids_the_decisions_so_far(approved, hannah, arjun, kwame):
    jonas = make_person("Jonas Lindqvist", "responder")
    found = services.reassign(approved, implementer=jonas, by=kwame, at=NOON + 5 * HOUR, reason="Amara is ill")
    assert (found.state, found.round, found.implementer_name) == ("pending", 2, "Jonas Lindqvist")
    assert states(found) == ["open", "waiting"]
    assert found.decide_by == NOON + 77 * HOUR
    assert told("restarted") == ["Arjun Mehta", "Hannah Whitcombe", "Kwame Mensah"]
    assert decide(decide(found, hannah, at=NOON + 6 * HOUR), arjun, at=NOON + 6 * HOUR).state == "approved"
    assert Decision.objects.count() == 4


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"reason": ""}, "Say in a sentence why"),
        ({"by": "stranger"}, "Only whoever asked, or may change the record"),
        ({"implementer": None}, "Nobody is named to carry it out already"),
        ({"implementer": "hannah"}, "Stage 1, Management, needs 1 with the role Manager"),
    ],
)
def test_an_implementer_is_named_by_those_who_may_and_with_a_reason(words, sentence, asked, hannah, kwame):
    people = {"stranger": make_person("Strange R", "responder"), "hannah": hannah}
    given = {"implementer": make_person("Jonas Lindqvist"), "by": kwame, "at": NOON, "reason": "x", **words}
    with pytest.raises(Refused, match=sentence):
        services.reassign(asked, **{name: people.get(value, value) for name, value in given.items()})
    assert again(asked).round == 1


# The other ends


def test_whoever_asked_withdraws_and_those_who_were_asked_are_told(asked, kwame):
    done = services.withdraw(asked, by=kwame, at=NOON + HOUR, reason="A typing mistake")
    assert (done.state, done.outcome, states(done)) == ("withdrawn", "A typing mistake", ["closed", "closed"])
    assert told("withdrawn") == ["Hannah Whitcombe", "Kwame Mensah"]


def test_nobody_else_withdraws(asked, hannah):
    with pytest.raises(Refused, match="Only Kwame Mensah, who asked for it, can withdraw it"):
        services.withdraw(asked, by=hannah, at=NOON, reason="x")


def test_a_withdrawal_needs_a_reason(asked, kwame):
    with pytest.raises(Refused, match="Say in a sentence why"):
        services.withdraw(asked, by=kwame, at=NOON, reason=" ")


def test_what_has_moved_on_is_final(approved, objective, kwame):
    assert services.finalise(objective, by=kwame, at=NOON + 3 * HOUR).state == "final"
    edit(objective)
    assert services.notice(again(approved), at=NOON + 4 * HOUR).state == "final"
    with pytest.raises(Refused, match="It is final"):
        services.withdraw(approved, by=kwame, at=NOON + 4 * HOUR, reason="x")
    with pytest.raises(Refused, match="It is final"):
        services.reassign(approved, implementer=make_person("Jonas"), by=kwame, at=NOON + 4 * HOUR, reason="x")


def test_what_is_not_approved_as_it_stands_cannot_move_on(asked, objective, hannah, arjun, kwame):
    with pytest.raises(Refused, match="It is not approved as it stands"):
        services.finalise(objective, by=kwame, at=NOON)
    decide(decide(asked, hannah), arjun)
    edit(objective)
    with pytest.raises(Refused, match="Changed: RTO"):
        services.finalise(objective, by=kwame, at=NOON + 2 * HOUR)


# How a record stands


def test_how_a_record_stands(objective, hannah, arjun, kwame):
    def word():
        return services.standing(objective).stands

    assert word() == Stands.NOT
    request = make_request(by=kwame, subject=objective)
    assert word() == Stands.ASKED
    decide(decide(request, hannah), arjun, at=NOON + 2 * HOUR)
    found = services.standing(objective)
    assert (found.stands, found.at, found.by) == (
        Stands.APPROVED, NOON + 2 * HOUR, ("Hannah Whitcombe", "Arjun Mehta")
    )  # fmt: skip
    assert services.check_approved(objective) == request
    edit(objective)
    assert word() == Stands.CHANGED
    services.notice(again(request), at=NOON + 3 * HOUR)
    assert word() == Stands.CHANGED
    with pytest.raises(Refused, match="not approved as it stands"):
        services.check_approved(objective)


def test_what_was_void_before_anybody_approved_it_is_not_approved(asked, objective):
    edit(objective)
    services.notice(asked, at=NOON + HOUR)
    assert services.standing(objective).stands == Stands.NOT


def test_many_records_are_judged_in_a_fixed_number_of_queries(django_assert_num_queries, hannah, arjun, kwame):
    kind = registry.of_kind("objective")
    rows = [make_objective() for _ in range(6)]
    for row in rows[:4]:
        make_request(by=kwame, subject=row)
    for some in (rows[:2], rows):
        with django_assert_num_queries(3):
            services.standings(kind, [row.pk for row in some])


# Who is told


def test_somebody_without_an_entry_in_the_directory_decides_all_the_same(hannah, arjun, kwame, objective):
    Contact.objects.get(user=hannah)
    ines = make_person("Ines Halloran", "manager")
    entry = Contact.objects.get(user=ines)
    entry.active = False
    entry.save()
    request = make_request(by=kwame, subject=objective)
    assert told("asked") == ["Hannah Whitcombe"]
    assert decide(request, ines).stages.get(position=1).state == "approved"


def test_every_kind_has_a_rule_with_stages():
    rules = {rule.kind: rule.stages.count() for rule in ApprovalRule.objects.all()}
    assert rules.keys() == {kind.kind for kind in registry.kinds()}
    assert all(rules.values())
