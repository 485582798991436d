"""The count of wrong passwords for one user name, from wherever they come."""

from __future__ import annotations

from django.db import models


class SignInTries(models.Model):
    """How often signing in by one user name was tried lately without success.

    `place` is an address that the account is known to sign in from, else empty: all other addresses count together.
    The name stands here as a digest, for it may be anything; whether an account has it makes no difference.
    """

    name = models.CharField(max_length=64, editable=False)
    place = models.CharField(max_length=45, blank=True, editable=False)
    tries = models.PositiveIntegerField(default=0, editable=False)
    last = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "tries of a user name"
        verbose_name_plural = "tries of user names"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["name", "place"], name="tries_counted_once_for_each_place")]
        indexes = [models.Index(fields=["last"], name="tries_oldest")]

    def __str__(self) -> str:
        return f"{self.tries} tries, last {self.last:%Y-%m-%d %H:%M}"
