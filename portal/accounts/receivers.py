"""Roles follow the code: they are synchronised after the last app was migrated, when every permission is known."""

from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.management import create_permissions
from django.db import connections

from portal.accounts import roles


def synchronise_roles(sender: AppConfig, using: str, **_kwargs: Any) -> None:
    """Make the roles' groups, once for each run of migrate or flush. Does nothing while the tables are not there."""
    last = [config for config in apps.get_app_configs() if config.models_module is not None][-1]
    if sender.label != last.label or "auth_group_permissions" not in connections[using].introspection.table_names():
        return
    create_permissions(sender, verbosity=0, using=using)  # Django's own receiver may only come after this one
    roles.synchronise(using=using)
