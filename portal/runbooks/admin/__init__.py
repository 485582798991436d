"""Runbooks and checklists in the admin."""

from portal.runbooks.admin import checklists

__all__ = ["checklists"]
