"""Rows are written after a migration only when every table has come as far as the code."""

import pytest
from django.apps import apps
from django.db.migrations.state import ModelState, ProjectState

from portal.lib.migrated import is_complete
from portal.records.models import Counter


@pytest.fixture(scope="module")
def everything():
    """The state that a whole migrate ends with."""
    models = [model for model in apps.get_models() if not model._meta.swapped]
    return {(m._meta.app_label, m._meta.model_name): ModelState.from_model(m) for m in models}


def then(models):
    return {"apps": ProjectState(models).apps}


def test_a_flush_and_a_whole_migration_are_complete(everything):
    assert is_complete({})
    assert is_complete({"apps": apps})
    assert is_complete(then(everything))


def test_a_missing_table_is_waited_for(everything):
    assert not is_complete(then({key: state for key, state in everything.items() if key != ("records", "counter")}))


def test_a_missing_column_is_waited_for(everything):
    state = ModelState.from_model(Counter)
    del state.fields["last"]
    assert not is_complete(then({**everything, ("records", "counter"): state}))
