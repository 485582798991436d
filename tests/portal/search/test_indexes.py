"""The indexes stand as they are meant, and are made anew where they do not."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from portal.audit import guards
from portal.directory.models import System
from portal.search import checks, indexes, registry
from portal.search.finding import find
from tests.factories.accounts import make_user
from tests.factories.directory import make_system

pytestmark = pytest.mark.django_db
TABLE = System._meta.db_table


def settled():
    """Ask at once what PostgreSQL would ask at the commit: it makes no index before."""
    connection.check_constraints()


def spoil():
    """Take away what keeps the index of systems, as SQLite does where it makes a table anew."""
    with connection.cursor() as cursor:
        ours = f"search_{TABLE}_put" if connection.vendor == "sqlite" else f"search_keep ON {TABLE}"
        cursor.execute(f"DROP TRIGGER {ours}")


def test_every_kind_has_its_index():
    assert indexes.missing() == []
    assert {kind.model._meta.db_table for kind in registry.kinds()} == set(registry.indexed())
    assert indexes.install() == []


def test_what_keeps_an_index_is_no_stranger_to_the_guards():
    assert [found for found in guards.strange() if "search_" in found] == []


def test_a_missing_index_is_noticed_made_anew_and_filled():
    settled()
    spoil()
    make_system(name="Zebra Store")
    settled()
    assert indexes.missing() == [TABLE]
    assert [message.id for message in checks.check_indexes(["default"])] == ["search.E001"]
    with pytest.raises(CommandError, match="search rebuild"):
        call_command("search", "check")

    assert indexes.install() == [TABLE]

    assert indexes.missing() == []
    assert find("zebra", make_user("reader", roles=["responder"])).groups[0].found == 1


def test_rebuilding_makes_every_index_anew(capsys):
    make_system(name="Zebra Store")
    settled()
    call_command("search", "rebuild")
    assert TABLE in capsys.readouterr().out
    assert indexes.missing() == []
    assert find("zebra", make_user("reader", roles=["responder"])).groups[0].found == 1
    call_command("search", "check")


def test_room_is_made_for_a_migration_and_taken_back():
    make_system(name="Zebra Store")
    indexes.make_room()
    make_system("giraffe", name="Giraffe Store")
    indexes.install()
    reader = make_user("reader", roles=["responder"])
    assert indexes.missing() == []
    assert find("zebra", reader).groups[0].found == find("giraffe", reader).groups[0].found == 1


def test_a_row_that_goes_takes_its_words_along():
    system = make_system(name="Zebra Store")
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE id = %s", [system.pk])
    assert find("zebra", make_user("reader", roles=["responder"])).groups == []


def test_a_kind_is_registered_once_and_a_model_has_one_index():
    kind = registry.kinds()[0]
    registry.register(kind)
    with pytest.raises(ValueError, match="registered already"):
        registry.register(registry.Searchable(**{**fields(kind), "label": "Other"}))
    with pytest.raises(ValueError, match="other columns"):
        registry.register(registry.Searchable(**{**fields(kind), "kind": "other", "columns": ("name",)}))


def fields(kind):
    return {name: getattr(kind, name) for name in kind.__dataclass_fields__}
