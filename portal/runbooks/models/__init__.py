"""Runbooks, their versions, and what is read from them."""

from portal.runbooks.models.runbook import Runbook, RunbookVersion

__all__ = ["Runbook", "RunbookVersion"]
