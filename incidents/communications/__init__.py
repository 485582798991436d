"""Telling audiences: templates, drafts, approval, sending; and whoever follows a system or an incident.

Import the modules by name: this package imports none, since the verbs of incidents reach into it.
"""
