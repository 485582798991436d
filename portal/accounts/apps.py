"""Accounts as a Django app."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    """Synchronises the roles after every migration, and keeps every sign-in on the trail."""

    name = "portal.accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Listen for the end of migrations, and for signing in and out by whatever route."""
        from portal.accounts import receivers  # noqa: PLC0415 - it needs the models, which are there only now

        post_migrate.connect(receivers.synchronise_roles, dispatch_uid="portal.accounts.roles")
        user_logged_in.connect(receivers.record_sign_in, dispatch_uid="portal.accounts.signed_in")
        user_logged_out.connect(receivers.record_sign_out, dispatch_uid="portal.accounts.signed_out")
        user_login_failed.connect(receivers.record_refusal, dispatch_uid="portal.accounts.refused")
