"""Incidents in the admin: records with their verbs, escalation policies on one page, intake addresses."""

from incidents.admin import incident, intake, policies

__all__ = ["incident", "intake", "policies"]
