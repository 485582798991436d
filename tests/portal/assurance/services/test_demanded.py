"""A release that says that access must be reviewed gets its review, and waits for it."""

import pytest

from changes import services as changes
from changes.enums import CellState, Outcome
from changes.models import Module, ReleaseCheck
from changes.policy import Refused
from changes.services.releasing import Answer
from portal.assurance.enums import ReviewKind, ReviewState
from portal.assurance.models import Review
from portal.assurance.sweeps import sweep_reviews
from portal.audit import guards
from portal.records.models import Demand
from tests.factories.approvals import make_person
from tests.factories.changes import HOUR, TOMORROW, fill_matrix, make_approved, pass_gates, verify
from tests.factories.directory import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def change():
    """A change that is verified, and one of whose modules asked for an access review."""
    make_person("Diego Ramos", "security-lead")
    module = Module.objects.all()[0]
    change = make_approved(modules=[module])
    said = Answer(CellState.DONE, opens_review=True)
    changes.answer(change, module, ReleaseCheck.objects.get(slug="access-review"), said, by=change.requester, at=NOON)
    fill_matrix(change)
    pass_gates(change)
    change = changes.schedule(change, by=change.requester, at=NOON)
    change = changes.start(change, by=change.implementer, at=TOMORROW)
    return verify(change, by=change.implementer, at=TOMORROW + HOUR)


def end(review, state):
    """Bring a review to its end, past the verbs that would ask for a decision on each item."""
    with guards.lifted():
        review.state = state
        if state == ReviewState.SIGNED:
            review.signed_at, review.signed_by = TOMORROW, "Diego Ramos"
        else:
            review.called_off_at, review.called_off_by = TOMORROW, "Diego Ramos"
        review.save()


def close(change):
    return changes.close(change, outcome=Outcome.SUCCESSFUL, by=change.requester, at=TOMORROW + HOUR)


def test_the_review_is_opened_once_and_names_what_asked_for_it(change):
    for _ in range(3):
        sweep_reviews(at=NOON)
    review = Review.objects.get(kind=ReviewKind.ACCESS)
    assert change.reference in review.title
    assert Demand.objects.get().answer == {"review": review.reference}


def test_the_change_closes_once_the_review_is_signed_off(change):
    sweep_reviews(at=NOON)
    with pytest.raises(Refused, match="access review"):
        close(change)
    end(Review.objects.get(kind=ReviewKind.ACCESS), ReviewState.SIGNED)
    sweep_reviews(at=TOMORROW)
    assert Demand.objects.get().answered_by == "Diego Ramos"
    assert close(change).outcome == Outcome.SUCCESSFUL


def test_a_review_that_is_called_off_is_opened_anew(change):
    sweep_reviews(at=NOON)
    end(Review.objects.get(kind=ReviewKind.ACCESS), ReviewState.CALLED_OFF)
    sweep_reviews(at=TOMORROW)
    assert Review.objects.filter(kind=ReviewKind.ACCESS).count() == 2
    with pytest.raises(Refused, match="access review"):
        close(change)
