"""Who and when are one fact: a moment and its author are constrained together in the database."""

import pytest
from django.apps import apps
from django.db.models import CheckConstraint, Q

from portal.audit.history import HistoryFields

PAIRS = [
    (model, field, by)
    for model in apps.get_models()
    if not issubclass(model, HistoryFields)
    for field in model._meta.concrete_fields
    if field.name.endswith("_at")
    for by in model._meta.concrete_fields
    if by.name == f"{field.name.removesuffix('_at')}_by"
]


def names(condition):
    """Return the fields that a condition speaks of."""
    if isinstance(condition, Q):
        return {name for child in condition.children for name in names(child)}
    return {condition[0].split("__")[0]}


def test_there_are_pairs():
    assert PAIRS


@pytest.mark.parametrize(("model", "at", "by"), PAIRS, ids=[f"{m._meta.label}.{at.name}" for m, at, _ in PAIRS])
def test_a_moment_and_its_author_are_constrained_together(model, at, by):
    wanted = {at.name, by.name} if at.null else {by.name}
    checks = [c for c in model._meta.constraints if isinstance(c, CheckConstraint)]
    assert any(wanted <= names(check.condition) for check in checks), (
        f"{model._meta.label}: no CHECK says that {at.name} and {by.name} go together"
    )


@pytest.mark.parametrize(("model", "at", "by"), PAIRS, ids=[f"{m._meta.label}.{at.name}" for m, at, _ in PAIRS])
def test_neither_is_set_by_a_form(model, at, by):
    if hasattr(model, "history"):
        assert not at.editable
        assert not by.editable
