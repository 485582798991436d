"""Exports for tests: asked for through the service, made by the worker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.accounts.models import User
from portal.assurance.exporting import services, sweeps
from portal.assurance.exporting.storing import path_of
from portal.assurance.models import Export
from tests.factories.accounts import make_user
from tests.factories.directory import NOON


def make_auditor(username: str = "", **fields: Any) -> User:
    """Somebody with the role Auditor, in the time zone of London unless said otherwise."""
    return make_user(username, roles=["auditor"], **fields)


def ask(
    source: str = "trail",
    *,
    by: User | None = None,
    format: str = "csv",  # noqa: A002
    at: datetime = NOON,
    reason: str = "Yearly audit",
    **parameters: Any,
) -> Export:
    """An export that waits for its worker."""
    return services.ask(
        source=source, format=format, parameters=parameters, by=by or make_auditor(), at=at, reason=reason
    )


def make_export(source: str = "trail", *, at: datetime = NOON, **fields: Any) -> Export:
    """An export whose file is ready, or that failed."""
    export = ask(source, at=at, **fields)
    sweeps.make_exports(now=lambda: at)
    export.refresh_from_db()
    return export


def content(export: Export) -> bytes:
    """The file of a finished export."""
    return path_of(export).read_bytes()
