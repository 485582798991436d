"""Whether the database has come as far as the code, which receivers of post_migrate ask before they write rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps


def is_complete(signal: Mapping[str, Any]) -> bool:
    """Tell whether every table has the columns of the present code, from what post_migrate sent with its signal.

    It is not while only some apps were migrated, or some were taken back. A flush names no state: nothing is missing.
    """
    then = signal.get("apps", apps)
    if then is apps:
        return True
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed or model._meta.proxy:
            continue
        try:
            found = then.get_model(model._meta.label)
        except LookupError:
            return False
        if _columns(found) != _columns(model):
            return False
    return True


def _columns(model: Any) -> set[str]:
    return {field.column for field in model._meta.local_concrete_fields}
