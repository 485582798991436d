"""The verbs on items of a review: attest, question, answer, settle, follow up, revoke, note as gone.

Each locks the review, so that of two reviewers on one item the second is told what the first decided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.urls import reverse

from portal.accounts.models import User
from portal.assurance import messages, policy
from portal.assurance.enums import ItemState, ReviewKind
from portal.assurance.models import Review, ReviewItem, Verdict
from portal.assurance.policy import Person, Refused
from portal.assurance.services import holdings, taking
from portal.assurance.services.people import ADMINISTRATOR, contacts_of, named_reviewers, person_of
from portal.assurance.services.veiling import hidden_items, told_to_all
from portal.audit.actor import By, acting, actor_of, current
from portal.audit.enums import Action
from portal.audit.trail import record
from portal.directory import services as directory


def locked(review: Review) -> Review:
    """Return the review read again under its lock. Call it inside a transaction."""
    found: Review = Review.objects.select_for_update(of=("self",)).get(pk=review.pk)
    return found


def state_of(item: ReviewItem) -> tuple[ItemState, int]:
    """Return where an item stands and how many verdicts were given on it. One query."""
    last = item.verdicts.order_by("-step").values_list("state", "step").first()
    return (ItemState(last[0]), last[1]) if last else (ItemState.OPEN, 0)


def states_of(items: Collection[ReviewItem]) -> dict[int, tuple[ItemState, int]]:
    """Return the same of many items, by their ids. One query."""
    found = {item.pk: (ItemState.OPEN, 0) for item in items}
    rows = Verdict.objects.filter(item__in=list(found)).order_by("step").values_list("item_id", "state", "step")
    return found | {pk: (ItemState(state), step) for pk, state, step in rows}


@transaction.atomic
def attest(review: Review, items: Iterable[ReviewItem], *, by: By, at: datetime, words: str = "") -> int:
    """Attest items, and return how many. Those that are decided or questioned already are left as they are.

    Refused is raised when not one of them could be attested, with the sentence for the first; and for whoever does not
    review. One's own are left to others.
    """
    kept, person = _for_reviewer(review, by)
    wanted = list(ReviewItem.objects.filter(review=kept, pk__in=[item.pk for item in items]).order_by("number"))
    standing = states_of(wanted)
    still = holdings.held_now(wanted, at=at) if kept.kind == ReviewKind.ACCESS else {}
    hidden = hidden_items(wanted, by) if isinstance(by, User) else set()
    refusals: list[Refused] = []
    fitting = []
    for item in wanted:
        state, steps = standing[item.pk]
        try:
            _check_attest(kept, item, person, state, held=still.get(item.pk, True), hidden=item.pk in hidden)
        except Refused as refused:
            refusals.append(refused)
        else:
            fitting.append(_verdict(item, ItemState.ATTESTED, steps + 1, words.strip(), by=by, at=at))
    if not fitting and refusals:
        raise refusals[0]
    Verdict.objects.bulk_create(fitting)
    if fitting:
        _record(kept, f"Attested {len(fitting)} of {kept.items_count} items", by=by, at=at)
    return len(fitting)


def _check_attest(
    review: Review, item: ReviewItem, person: Person, state: ItemState, *, held: bool, hidden: bool
) -> None:
    if hidden:
        raise Refused(policy.RESTRICTED)
    policy.next_item_state(review.kind, "attest", state)
    policy.check_not_own(review.kind, person, item.about_id)
    if not held:
        raise Refused(policy.NOT_HELD)


@transaction.atomic
def question(review: Review, item: ReviewItem, *, words: str, by: By, at: datetime) -> Verdict:
    """Ask whoever made a change; the question goes to them, or to the administrators where no account did."""
    kept, _ = _for_reviewer(review, by)
    verdict = _decide(kept, item, "question", words, by=by, at=at)
    contacts = contacts_of([item.about_id]) if item.about_id else directory.administrators()
    key = f"{item.number}:{verdict.step}"
    more: dict[str, Any] = {"item": told_to_all(item), "words": verdict.words, "asker": verdict.decided_by}
    messages.tell(kept, contacts, kind=messages.QUESTION, key=key, at=at, path=_page(kept, item, "answer"), **more)
    return verdict


@transaction.atomic
def answer(review: Review, item: ReviewItem, *, words: str, by: By, at: datetime) -> Verdict:
    """Answer the question about one's own change; the answer goes to whoever asked."""
    kept = locked(review)
    policy.check_review_open(kept.state)
    if not policy.may_answer(person_of(by), item.about_id, administrator=ADMINISTRATOR):
        raise Refused(policy.NOT_ASKED.format(name=item.about_name if item.about_id else "the administrators"))
    asked = item.verdicts.filter(state=ItemState.QUESTIONED).order_by("-step").first()
    verdict = _decide(kept, item, "answer", words, by=by, at=at, own=True)
    if asked is not None:
        more: dict[str, Any] = {"item": told_to_all(item), "words": verdict.words, "answerer": verdict.decided_by}
        key = f"{item.number}:{verdict.step}"
        people = contacts_of([asked.decider_id])
        messages.tell(kept, people, kind=messages.ANSWER, key=key, at=at, path=_page(kept, item, "settle"), **more)
    return verdict


@transaction.atomic
def settle(review: Review, item: ReviewItem, *, words: str, by: By, at: datetime) -> Verdict:
    """Close a question: the change is in order, for the reason given."""
    kept, _ = _for_reviewer(review, by)
    return _decide(kept, item, "settle", words, by=by, at=at)


@transaction.atomic
def follow_up(review: Review, item: ReviewItem, *, words: str, by: By, at: datetime) -> Verdict:
    """Close a question with something to be done, by somebody, outside this review."""
    kept, _ = _for_reviewer(review, by)
    verdict = _decide(kept, item, "follow up", words, by=by, at=at)
    more: dict[str, Any] = {"item": told_to_all(item), "words": verdict.words, "decider": verdict.decided_by}
    key = f"{item.number}:{verdict.step}"
    messages.tell(kept, contacts_of([item.about_id]), kind=messages.SETTLED, key=key, at=at, **more)
    return verdict


@transaction.atomic
def revoke(review: Review, item: ReviewItem, *, words: str, by: By, at: datetime, confirmed: bool) -> Verdict:
    """Take what the item names from whoever holds it, with the reason, and keep the row of the trail as evidence."""
    kept, person = _for_reviewer(review, by)
    policy.check_confirmed(confirmed=confirmed)
    policy.check_words("revoke", words)
    policy.next_item_state(kept.kind, "revoke", state_of(item)[0])
    policy.check_not_own(kept.kind, person, item.about_id)
    if not holdings.held_now([item], at=at)[item.pk]:
        raise Refused(policy.NOT_HELD)
    taking.check_take(item, by=person)
    why = f"{kept.reference}: {words.strip()}"
    with acting(by=by, at=at, reason=why):
        taking.take(item, by=by, at=at, reason=why)
        return _decide(kept, item, "revoke", words, by=by, at=at, evidence=taking.evidence(item))


@transaction.atomic
def note_gone(review: Review, item: ReviewItem, *, by: By, at: datetime, words: str = "") -> Verdict:
    """Note that what the item names is no longer held, with the row of the trail that shows it where there is one."""
    kept, _ = _for_reviewer(review, by)
    if holdings.held_now([item], at=at)[item.pk]:
        raise Refused(policy.STILL_HELD)
    return _decide(kept, item, "note as gone", words, by=by, at=at, evidence=taking.evidence_of_loss(item))


def _for_reviewer(review: Review, by: By) -> tuple[Review, Person]:
    """Return the review under its lock, and who decides in it; Refused is raised for whoever may not."""
    kept = locked(review)
    policy.check_review_open(kept.state)
    person = person_of(by)
    policy.check_reviewer(person, named=named_reviewers(kept), roles=kept.reviewer_roles)
    return kept, person


def _decide(
    review: Review, item: ReviewItem, verb: str, words: str,
    *, by: By, at: datetime, own: bool = False, evidence: int | None = None,
) -> Verdict:  # fmt: skip
    state, steps = state_of(item)
    after = policy.next_item_state(review.kind, verb, state)
    policy.check_words(verb, words)
    if not own:
        policy.check_not_own(review.kind, person_of(by), item.about_id)
        if isinstance(by, User) and hidden_items([item], by):
            raise Refused(policy.RESTRICTED)
    verdict = _verdict(item, after, steps + 1, words.strip(), by=by, at=at, evidence=evidence)
    verdict.save()
    _record(review, f"{after.label}: item {item.number}, {told_to_all(item).title}", by=by, at=at, words=words)
    return verdict


def _verdict(
    item: ReviewItem, state: ItemState, step: int, words: str, *, by: By, at: datetime, evidence: int | None = None
) -> Verdict:
    actor, context = actor_of(by), current()
    return Verdict(
        review_id=item.review_id, item=item, step=step, state=state, words=words, decided_at=at,
        decided_by=actor.name, decider_id=actor.user_id, about_id=item.about_id, evidence_row=evidence,
        gesture=context.gesture if context else None, origin=context.origin if context else "",
        address=context.address if context else "",
    )  # fmt: skip


def _record(review: Review, event: str, *, by: By, at: datetime, words: str = "") -> None:
    """Say in the trail what was decided: one row for each act, however many items it decided on."""
    with acting(by=by, at=at, reason=words.strip() or review.title):
        record(Action.DECIDED, event=event, subject=review)


def _page(review: Review, item: ReviewItem, verb: str) -> Any:
    return reverse("assurance:decide", args=[review.reference, item.number, verb])
