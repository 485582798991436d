"""Transactional tests empty all tables at their end, which the guards of the record refuse. Only here they give way."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import TransactionTestCase

from portal.audit import guards

flush_test = TransactionTestCase._fixture_teardown
execute = BaseDatabaseOperations.execute_sql_flush


def execute_lifted(operations, statements):
    """Empty the tables while the guards of this database are lifted."""
    with guards.lifted(operations.connection.alias):
        execute(operations, statements)
        if operations.connection.vendor == "sqlite":  # a number that was given out tells of a row that was there
            execute(operations, ["DELETE FROM sqlite_sequence"])


@contextmanager
def guards_give_way() -> Iterator[None]:
    """Let the flush at the end of a transactional test pass, and no other: `manage.py flush` stays refused."""

    def flush_lifted(test):
        with pytest.MonkeyPatch.context() as during:
            during.setattr(BaseDatabaseOperations, "execute_sql_flush", execute_lifted)
            flush_test(test)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush_lifted)
        yield
