"""The reference pages agree with the code."""

from importlib import import_module
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from incidents import policy
from portal.accounts.roles import ROLES
from portal.assurance import policy as assurance
from portal.assurance.enums import Register
from portal.assurance.exporting import policy as exports
from portal.dashboard import reference


def test_the_pages_in_the_repository_are_those_of_the_code():
    assert reference.stale(settings.BASE_DIR / reference.FOLDER) == []


def test_every_transition_is_drawn():
    drawn = reference.pages()["incident-states.md"]
    for verb, moves in policy.TRANSITIONS.items():
        for before, after in moves.items():
            assert f"{before.value} --> {after.value}: {verb}" in drawn


def machines():
    """Every state machine of the portal: each policy that has a dictionary of transitions."""
    found = [path for path in settings.BASE_DIR.glob("**/policy.py") if ".venv" not in path.parts]
    names = [".".join(path.relative_to(settings.BASE_DIR).with_suffix("").parts) for path in sorted(found)]
    return [name for name in names if hasattr(import_module(name), "TRANSITIONS")]


@pytest.mark.parametrize("name", machines())
def test_every_state_machine_is_drawn(name):
    moves = import_module(name).TRANSITIONS.items()
    wanted = {f"{old.value} --> {new.value}: {verb}" for verb, pairs in moves for old, new in pairs.items()}
    assert any(wanted <= set(map(str.strip, text.splitlines())) for text in reference.pages().values())


def test_every_way_of_a_review_is_drawn_and_every_kind_of_record_is_named():
    drawn = reference.pages()["review-states.md"]
    for moves in (assurance.REVIEW, *assurance.ITEMS.values()):
        for verb, pairs in moves.items():
            assert all(f"{before.value} --> {after.value}: {verb}" in drawn for before, after in pairs.items())
    assert all(f"| {kind.label} |" in reference.pages()["engagements.md"] for kind in Register)


def test_every_way_of_an_export_is_drawn():
    drawn = reference.pages()["export-states.md"]
    for verb, pairs in exports.TRANSITIONS.items():
        assert all(f"{before.value} --> {after.value}: {verb}" in drawn for before, after in pairs.items())


def test_every_role_is_described():
    assert all(f"## {role.name}" in reference.pages()["roles.md"] for role in ROLES)


def test_every_variable_of_the_example_file_is_in_the_table():
    example = (settings.BASE_DIR / ".env.example").read_text(encoding="utf-8")
    table = reference.pages()["environment.md"]
    names = [line.lstrip("#").partition("=")[0] for line in example.splitlines() if "=" in line and line[1:2].isupper()]
    assert len(names) > 8
    assert all(f"`{name}`" in table for name in names)


def test_a_stale_page_fails_the_check_and_is_printed_anew(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    (tmp_path / ".env.example").write_text("# --- Part ---\n\n# What it is.\n#NAME=value\n", encoding="utf-8")

    with pytest.raises(CommandError, match="Stale in"):
        call_command("docs", "--check", stdout=StringIO())
    call_command("docs", stdout=StringIO())
    call_command("docs", "--check", stdout=StringIO())

    page = tmp_path / reference.FOLDER / "environment.md"
    assert "| `NAME` | What it is. | `value` |" in page.read_text(encoding="utf-8")
