"""What the auditors' side keeps of its own."""

from portal.assurance.models.engagements import Engagement, GrantedRecord
from portal.assurance.models.exports import Export, ExportRule
from portal.assurance.models.reviews import Attestation, Review, ReviewItem, ReviewPlan, Verdict

__all__ = [
    "Attestation",
    "Engagement",
    "Export",
    "ExportRule",
    "GrantedRecord",
    "Review",
    "ReviewItem",
    "ReviewPlan",
    "Verdict",
]
