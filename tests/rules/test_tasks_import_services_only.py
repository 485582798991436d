"""A task is a door: it calls a service. The linter cannot say it, so this does."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("portal", "incidents", "changes", "maintenance")
TASKS = [
    path
    for part in PARTS
    for path in (ROOT / part).rglob("*.py")
    if path.stem == "tasks" or "tasks" in path.relative_to(ROOT).parts[:-1]
]
# What a task may use beside services: it names the actor, reads the clock, and may call what is composed of services.
ALLOWED = (
    "portal.audit.decorators",
    "portal.audit.actor",
    "portal.lib",
    "portal.dashboard",
)


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_lawful(name):
    if name.split(".")[0] not in PARTS:
        return True
    return "services" in name.split(".") or name.split(".")[-1] == "sweeps" or name.startswith(ALLOWED)


def test_there_are_tasks():
    assert TASKS


@pytest.mark.parametrize("path", TASKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_task_imports_services_only(path):
    wrong = [name for name in imported(path) if not is_lawful(name)]
    assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(wrong)}: call a service"
