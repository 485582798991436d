"""Tables that are made together are the tables that were made step by step."""

from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from portal.lib.migrating import CreateTogether

SQUASHED = [
    (config.label, path.stem)
    for config in apps.get_app_configs()
    for path in sorted(Path(config.path).glob("migrations/0001_squashed_*.py"))
]
LABEL = "records"  # any app of the portal
TABLES = {"records_shelf", "records_book"}
TOGETHER = CreateTogether(
    [
        migrations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True))]),
        migrations.CreateModel(
            "Book",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("shelf", models.ForeignKey("records.shelf", models.PROTECT)),
                ("title", models.CharField(max_length=20)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["shelf", "title"], name="one_book_per_title")],
                "indexes": [models.Index(fields=["title"], name="book_by_title")],
            },
        ),
    ]
)


@pytest.fixture
def shelves(transactional_db):
    """The tables of two models, made together."""
    before, after = ProjectState(), ProjectState()
    TOGETHER.state_forwards(LABEL, after)
    with connection.schema_editor() as editor:
        TOGETHER.database_forwards(LABEL, editor, before, after)
    yield
    with connection.schema_editor() as editor:
        TOGETHER.database_backwards(LABEL, editor, after, before)
    assert not TABLES & set(connection.introspection.table_names())


def test_the_tables_have_their_constraints_and_indexes_and_are_dropped_again(shelves):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "records_book")
    assert found["one_book_per_title"]["columns"] == ["shelf_id", "title"]
    assert found["one_book_per_title"]["unique"]
    assert found["book_by_title"]["columns"] == ["title"]
    assert any(of["foreign_key"] == ("records_shelf", "id") for of in found.values())


def test_what_was_rendered_before_knows_the_models_too():
    state = ProjectState()
    assert not state.apps.all_models[LABEL]
    TOGETHER.state_forwards(LABEL, state)
    assert set(state.apps.all_models[LABEL]) == {"shelf", "book"}


def test_a_plan_says_how_many_are_made():
    assert TOGETHER.describe() == "Create 2 models together"


def test_the_oldest_apps_were_squashed():
    assert {label for label, _ in SQUASHED} >= {"accounts", "audit", "changes", "directory", "incidents", "maintenance"}


@pytest.fixture(scope="module")
def graph():
    """Every migration: those that were replaced beside those that replace them."""
    return MigrationLoader(None, replace_migrations=False).graph


@pytest.mark.parametrize(("label", "name"), SQUASHED)
def test_a_squashed_migration_ends_where_the_steps_that_it_replaces_did(label, name, graph):
    steps = graph.nodes[label, name].replaces
    assert name == f"0001_squashed_{steps[-1][1]}"
    older = {node for node in graph.nodes if node[0] == label and node <= steps[-1]} - {(label, name)}
    assert set(steps) == older
    together, stepped = (graph.make_state(nodes=[node]).models for node in ((label, name), steps[-1]))
    assert _of(label, together) == _of(label, stepped)


def _of(label, found):
    """What makes the models of an app, whatever the order of columns, indexes and constraints."""
    return {key: _told(model) for key, model in found.items() if key[0] == label}


def _told(model):
    options = dict(model.options)
    named = [sorted(options.pop(kind, []), key=lambda each: each.name) for kind in ("constraints", "indexes")]
    fields = {name: field.deconstruct()[1:] for name, field in model.fields.items()}
    return model.name, model.bases, model.managers, options, named, fields
