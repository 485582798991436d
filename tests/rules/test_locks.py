"""A row is locked by itself, without rows that are joined to it.

PostgreSQL looks again at a row that it waited for, but with the joined row as it was before: when the column that
leads there was changed meanwhile, the locked row goes missing, or its relation seems to be empty.
"""

from __future__ import annotations

import ast
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LOCK, JOIN = "select_for_update", "select_related"
# The function in which both stand: why the row that it joins is the same one after the wait, or was read afterwards.
EXEMPT = {
    "incidents/communications/subscribing.py:stop": "a subscription never changes its person",
    "incidents/intake/heartbeats.py:lock": "what is joined is read once the lock is held",
    "maintenance/exercises/reminding.py:_lock": "what is joined is read once the lock is held",
    "maintenance/services/common.py:locked_plan": "what is joined is read once the lock is held",
    "maintenance/services/backups.py:_locked": "what is joined is read once the lock is held",
    "maintenance/silence.py:_lock": "what is joined is read once the lock is held",
    "maintenance/sweeps.py:lock": "what is joined is read once the lock is held",
    "portal/actions/sweeps.py:lock": "what is joined is read once the lock is held",
    "portal/assurance/services/engagements.py:grant_record": "an engagement never changes its auditor",
    "portal/assurance/services/engagements.py:withdraw_record": "a granted record never changes its engagement",
    "portal/directory/oncall/schedules.py:lock": "a schedule never changes its team",
    "portal/notify/bundling.py:_lock": "a turn is of one method or channel for good",
    "portal/runbooks/checklists/services/working.py:_locked": "what is joined is read once the lock is held",
    "portal/runbooks/sweeps.py:_lock": "what is joined is read once the lock is held",
}


def functions():
    for top in ("portal", "incidents", "changes", "maintenance"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef):
                    yield f"{path.relative_to(ROOT)}:{node.name}", node


def called(node):
    return {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def test_no_row_is_locked_together_with_what_is_joined_to_it():
    found = {name for name, node in functions() if {LOCK, JOIN} <= called(node)}
    assert found - EXEMPT.keys() == set()
    assert EXEMPT.keys() <= found, "an exemption that nothing needs"
