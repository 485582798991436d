"""Accounts as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from portal.accounts.receivers import synchronise_roles


class AccountsConfig(AppConfig):
    """Synchronises the roles after every migration."""

    name = "portal.accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Listen for the end of migrations."""
        post_migrate.connect(synchronise_roles, dispatch_uid="portal.accounts.roles")
