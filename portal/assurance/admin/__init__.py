"""The record pages of the auditors' side."""

from portal.assurance.admin import engagements, exports, reconciliations, retention, reviews, seals

__all__ = ["engagements", "exports", "reconciliations", "retention", "reviews", "seals"]
