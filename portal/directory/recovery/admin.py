"""What systems stand on, and what was measured of their recovery, in the admin."""

from __future__ import annotations

from django.contrib import admin

from portal.audit.admin import GuardedAdmin, GuardedStackedInline, GuardedTabularInline, ReadOnlyAdmin
from portal.directory.models import Dependency, RecoveryObjective, RecoveryProof, RecoveryStanding


class DependencyInline(GuardedTabularInline[Dependency]):
    """What a system stands on. A line that is taken away keeps its history."""

    model = Dependency
    fk_name = "system"
    may_delete = True


class RecoveryObjectiveInline(GuardedStackedInline[RecoveryObjective]):
    """What was promised about recovery."""

    model = RecoveryObjective


@admin.register(RecoveryObjective)
class RecoveryObjectiveAdmin(GuardedAdmin[RecoveryObjective]):
    """Recovery time and recovery point objectives."""

    list_display = ("system", "rto_minutes", "rpo_minutes", "mtd_minutes", "owner", "proof_days")
    search_fields = ("system__name", "owner__name")


@admin.register(Dependency)
class DependencyAdmin(GuardedAdmin[Dependency]):
    """Which system stands on which."""

    list_display = ("system", "needs", "note")
    search_fields = ("system__name", "needs__name")


@admin.register(RecoveryProof)
class RecoveryProofAdmin(ReadOnlyAdmin[RecoveryProof]):
    """What tests, exercises and incidents have measured. They are written down where they were measured."""

    list_display = ("system", "kind", "reference", "at", "verdict", "took_seconds", "lost_seconds", "by")
    list_filter = ("kind", "verdict")
    search_fields = ("system__name", "reference")
    ordering = ("-at", "-id")


@admin.register(RecoveryStanding)
class RecoveryStandingAdmin(ReadOnlyAdmin[RecoveryStanding]):
    """What backups and proofs say of each system now."""

    list_display = ("system", "newest_data_at", "newest_backup_at", "last_proof", "proven_until")
    search_fields = ("system__name",)
