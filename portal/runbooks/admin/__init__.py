"""Runbooks and checklists in the admin."""

from portal.runbooks.admin import checklists, runbooks

__all__ = ["checklists", "runbooks"]
