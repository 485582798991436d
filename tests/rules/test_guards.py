"""Rules of the guarded tables that no database can hold: nothing in the product lifts guards or locks such rows."""

import ast
from pathlib import Path

import pytest

from portal.audit import guards
from portal.audit.history import AuditHistory
from portal.audit.models import TrailRow

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("portal", "incidents", "changes", "maintenance")
SOURCES = [path for part in PARTS for path in sorted((ROOT / part).rglob("*.py"))]
GUARDED = {model.__name__ for model in guards.guarded_models()}


def lifting(tree, verb="lifted"):
    """Yield the line of each use of what lifts the guards, or opens rows of them."""
    for node in ast.walk(tree):
        named = {node.attr} if isinstance(node, ast.Attribute) else {node.id} if isinstance(node, ast.Name) else set()
        if isinstance(node, ast.ImportFrom):
            named = {name.name for name in node.names}
        if verb in named:
            yield node.lineno


def locking(tree):
    """Yield the line of each query that locks rows of a guarded table: that needs the right to change them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "select_for_update":
            names = {found.id for found in ast.walk(node.value) if isinstance(found, ast.Name)}
            attributes = {found.attr for found in ast.walk(node.value) if isinstance(found, ast.Attribute)}
            if names & GUARDED or "history" in attributes:
                yield node.lineno


def test_the_rules_see_what_they_should():
    assert list(lifting(ast.parse("with guards.lifted():\n    pass"))) == [1]
    assert list(lifting(ast.parse("from portal.audit.guards import lifted"))) == [1]
    wrong = "TrailRow.objects.filter(pk=1).select_for_update()\nIncident.history.select_for_update()"
    assert sorted(locking(ast.parse(wrong))) == [1, 2]
    assert not list(locking(ast.parse("Incident.objects.select_for_update()")))


def test_every_history_is_guarded_with_its_relations():
    models = set(guards.guarded_models())
    assert TrailRow in models
    for model, history in AuditHistory.of.items():
        assert model.history.model in models, model
        assert set(history.m2m_models.values()) <= models, model


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_in_the_product_lifts_the_guards(path):
    found = list(lifting(ast.parse(path.read_text())))
    allowed = path.is_relative_to(ROOT / "portal" / "audit" / "guards")
    assert allowed or not found, f"{path.relative_to(ROOT)}, lines {found}: only tests lift the guards"


def test_only_a_tombstone_opens_rows():
    found = {str(path.relative_to(ROOT)) for path in SOURCES if list(lifting(ast.parse(path.read_text()), "open_rows"))}
    assert found == {"portal/audit/retention/removing.py"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_row_of_a_guarded_table_is_locked(path):
    found = list(locking(ast.parse(path.read_text())))
    assert not found, f"{path.relative_to(ROOT)}, lines {found}: the running portal may only read and append there"
