"""Incidents in the admin: records with their verbs, communications, escalation policies, intake addresses."""

from incidents.admin import communications, incident, intake, policies, security, sources

__all__ = ["communications", "incident", "intake", "policies", "security", "sources"]
