"""Approvals in the admin: requests that are only read, the rules of who decides, and what records show of it."""

from portal.approvals.admin import requests, rules

__all__ = ["requests", "rules"]
