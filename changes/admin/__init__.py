"""Changes in the admin: records with their verbs, templates, release checklist, gates, freezes, risk."""

from changes.admin import changes, rules, tokens

__all__ = ["changes", "rules", "tokens"]
