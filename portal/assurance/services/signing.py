"""How a review ends: signed off for good, or called off; and how it is handed over to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import transaction

from portal.accounts.models import User
from portal.assurance import digesting, messages, policy
from portal.assurance.enums import ItemState
from portal.assurance.models import Attestation, Review, ReviewItem, Verdict
from portal.assurance.policy import Refused
from portal.assurance.services import populating
from portal.assurance.services.deciding import locked
from portal.assurance.services.opening import DUE
from portal.assurance.services.people import (
    check_reason,
    check_reviewers,
    contacts_of_reviewers,
    named_reviewers,
    person_of,
)
from portal.audit.actor import By, acting, actor_of, current
from portal.deadlines import services as deadlines
from portal.deadlines.models import DeadlineState


def last_verdicts(review: Review) -> dict[int, Verdict]:
    """Return the last verdict on each item that has one, by the item's id. One query."""
    rows = Verdict.objects.filter(review=review).order_by("item_id", "step")
    return {verdict.item_id: verdict for verdict in rows}


def counts_of(review: Review, verdicts: dict[int, Verdict]) -> dict[str, int]:
    """Return how many items stand in each state."""
    counted = Counter(verdict.state for verdict in verdicts.values())
    opened = review.items_count - len(verdicts)
    return {**({ItemState.OPEN.value: opened} if opened else {}), **counted}


@transaction.atomic
def sign(review: Review, *, statement: str, by: User, at: datetime, confirmed: bool) -> Attestation:
    """Sign a review off: every item is decided, and the trail still says what it was made of. It is final.

    Refused is raised for whoever does not review, and when an item is not decided or no longer reads as it did.
    """
    kept, person = locked(review), person_of(by)
    policy.next_review_state("sign", kept.state)
    policy.check_reviewer(person, named=named_reviewers(kept), roles=kept.reviewer_roles)
    policy.check_confirmed(confirmed=confirmed)
    verdicts = last_verdicts(kept)
    counts = counts_of(kept, verdicts)
    policy.check_sign(counts, statement)
    check_unaltered(kept)
    context = current()
    attestation = Attestation(
        review=kept, statement=statement.strip(), signed_at=at, signed_by=actor_of(by).name, signer_id=by.pk,
        population=kept.population, counts=counts, address=context.address if context else "",
        gesture=context.gesture if context else None,
    )  # fmt: skip
    attestation.digest = digest_of(attestation, kept, verdicts)
    with acting(by=by, at=at, reason=statement.strip()):
        attestation.save()
        kept.state = policy.next_review_state("sign", kept.state)
        kept.signed_at, kept.signed_by = at, attestation.signed_by
        kept.save()
    _over(kept, at=at, met=True)
    return attestation


def check_unaltered(review: Review) -> None:
    """Refuse when the items, or the rows of the trail behind them, no longer read as when the review was opened."""
    wrong = len(populating.altered(review))
    items = ReviewItem.objects.filter(review=review).order_by("number").values_list("number", "digest")
    if digesting.of_population(items) != review.population:
        wrong = max(wrong, 1)
    if wrong:
        raise Refused(policy.ALTERED.format(count=wrong))


def digest_of(attestation: Attestation, review: Review, verdicts: dict[int, Verdict]) -> str:
    """Return the digest of exactly what was attested: what stands above the signature, and each item's last verdict."""
    head = {
        "review": review.reference, "population": attestation.population, "statement": attestation.statement,
        "signed_by": attestation.signed_by, "signer": attestation.signer_id,
        "signed_at": digesting.moment(attestation.signed_at),
    }  # fmt: skip
    return digesting.of_attestation(head, _lines(review, verdicts))


def _lines(review: Review, verdicts: dict[int, Verdict]) -> Iterator[list[Any]]:
    items = ReviewItem.objects.filter(review=review).order_by("number").values_list("pk", "number", "digest")
    for pk, number, digest in items:
        found = verdicts[pk]
        yield [
            number, digest, found.step, found.state, found.words, found.decided_by, found.decider_id,
            found.decided_at, found.evidence_row,
        ]  # fmt: skip


@transaction.atomic
def call_off(review: Review, *, by: By, at: datetime, reason: str) -> Review:
    """End a review without a signature, for a reason; what was decided in it stays to be read."""
    why, kept = check_reason(reason), locked(review)
    kept.state = policy.next_review_state("call off", kept.state)
    kept.called_off_at, kept.called_off_by = at, actor_of(by).name
    with acting(by=by, at=at, reason=why):
        kept.save()
    _over(kept, at=at, met=False)
    return kept


@transaction.atomic
def hand_over(
    review: Review, *, reviewers: Collection[User], reviewer_roles: Iterable[str], due_at: datetime, by: By,
    at: datetime, reason: str,
) -> Review:  # fmt: skip
    """Name other reviewers or another due date; the newly named are told."""
    why, kept, roles = check_reason(reason), locked(review), list(reviewer_roles)
    policy.next_review_state("hand over", kept.state)
    check_reviewers(reviewers, roles)
    if due_at != kept.due_at and due_at <= at:
        raise Refused(policy.DUE_IN_THE_PAST)
    before = {contact.pk for contact in contacts_of_reviewers(kept)}
    moved = due_at != kept.due_at
    kept.reviewer_roles, kept.due_at = roles, due_at
    with acting(by=by, at=at, reason=why):
        kept.save()
        kept.reviewers.set(list(reviewers))
    if moved:
        _move_due(kept, at=at)
    fresh = [contact for contact in contacts_of_reviewers(kept) if contact.pk not in before]
    messages.tell(kept, fresh, kind=messages.OPENED, key=f"{at.timestamp():.0f}", at=at)
    return kept


def _move_due(review: Review, *, at: datetime) -> None:
    """Let the new date be the one that counts. A due date that was missed stays missed."""
    generation = deadlines.of(review, [DUE]).count() + 1
    deadlines.cancel(subject=review, kind=DUE, at=at)
    deadlines.start(kind=DUE, subject=review, generation=generation, started_at=at, due_at=review.due_at)


def _over(review: Review, *, at: datetime, met: bool) -> None:
    """Settle what the review still waited for."""
    if met:
        deadlines.meet(subject=review, kind=DUE, key="", at=at)
    deadlines.cancel(subject=review, at=at)
    messages.stop_asking(review, at=at)


def is_missed(review: Review) -> bool:
    """Tell whether the review was signed too late."""
    return deadlines.of(review, [DUE]).filter(state=DeadlineState.FIRED).exists()
