"""The record pages of the auditors' side."""

from portal.assurance.admin import engagements, exports, reconciliations, reviews

__all__ = ["engagements", "exports", "reconciliations", "reviews"]
