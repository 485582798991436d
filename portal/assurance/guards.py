"""What the database itself refuses of engagements and reviews, whoever writes.

Of engagements: one for somebody without the role Auditor, and an edit of what was granted. Of reviews: own acts, late
verdicts, and edits of what is frozen. That nobody decides on their own is a constraint of the verdict too; alone it
would not do, because whoever opens a SQLite file may have its constraints ignored. Items, verdicts and attestations are
append-only besides.
"""

from __future__ import annotations

from portal.audit.triggers import refusing

ENGAGEMENT = "assurance_engagement"

REVIEW, ITEM = "assurance_review", "assurance_reviewitem"
VERDICT, ATTESTATION = "assurance_verdict", "assurance_attestation"

# Of a verdict and whatever settles its review at the same moment, one waits for the other.
_LOCK = "  PERFORM 1 FROM assurance_review r WHERE r.id = NEW.review_id FOR UPDATE;\n"

PROVED = {
    "the item is not one of this review": """NOT EXISTS (
        SELECT 1 FROM assurance_reviewitem i WHERE i.id = NEW.item_id AND i.review_id = NEW.review_id)""",
    "the account that it is about is not that of the item": """EXISTS (
        SELECT 1 FROM assurance_reviewitem i WHERE i.id = NEW.item_id AND i.about_id IS DISTINCT FROM NEW.about_id)""",
    "nobody reviews their own": """NEW.about_id IS NOT NULL AND NEW.state <> 'answered'
        AND (NEW.decider_id IS NULL OR NEW.decider_id = NEW.about_id)""",
    "the review is not open": """NOT EXISTS (
        SELECT 1 FROM assurance_review r WHERE r.id = NEW.review_id AND r.state = 'open')""",
    "the steps of an item follow one another": """NEW.step <> 1 + (
        SELECT count(*) FROM assurance_verdict v WHERE v.item_id = NEW.item_id)""",
}

_FROZEN = (
    *("id", "reference", "kind", "plan_id", "period_from", "period_until", "first_row", "last_row", "rows"),
    *("items_count", "population", "opened_at", "opened_by"),
)
KEPT = {
    "what was signed or called off never changes": "OLD.state <> 'open'",
    "its population never changes": " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _FROZEN),
    "it is signed with its attestation alone": """NEW.state = 'signed' AND NOT EXISTS (
        SELECT 1 FROM assurance_attestation a WHERE a.review_id = NEW.id AND a.population = NEW.population)""",
}
ATTESTED = {
    "the review is not open": """NOT EXISTS (
        SELECT 1 FROM assurance_review r WHERE r.id = NEW.review_id AND r.state = 'open')""",
    "the population is not that of the review": """NOT EXISTS (
        SELECT 1 FROM assurance_review r WHERE r.id = NEW.review_id AND r.population = NEW.population)""",
    "an item is not decided": """EXISTS (
        SELECT 1 FROM assurance_reviewitem i WHERE i.review_id = NEW.review_id AND NOT EXISTS (
            SELECT 1 FROM assurance_verdict v WHERE v.item_id = i.id
            AND v.state IN ('attested', 'settled', 'followed-up', 'revoked', 'gone')
            AND v.step = (SELECT max(w.step) FROM assurance_verdict w WHERE w.item_id = i.id)))""",
}
FROZEN = {
    "its population is frozen when it is opened": """NOT EXISTS (
        SELECT 1 FROM assurance_review r WHERE r.id = NEW.review_id AND r.state = 'open')
        OR NEW.number > (SELECT r.items_count FROM assurance_review r WHERE r.id = NEW.review_id)"""
}
NEVER = {"it is never deleted": "1 = 1"}

GRANTED = {
    "only somebody with the role Auditor and an open account is engaged": """NOT EXISTS (
        SELECT 1 FROM accounts_user u JOIN accounts_user_groups m ON m.user_id = u.id
        JOIN auth_group g ON g.id = m.group_id
        WHERE u.id = NEW.auditor_id AND u.is_active AND g.name = 'Auditor')""",
}
_TERMS = (
    *("id", "reference", "title", "auditor_id", "starts", "ends", "records_from", "records_until", "reason"),
    *("granted_at", "granted_by", "granter_id"),
)
# The list of kinds is compared as text: PostgreSQL knows no equality of JSON that SQLite would understand too.
_KINDS = "CAST(NEW.registers AS text) <> CAST(OLD.registers AS text)"
ENDED = {
    "what was granted never changes; end it and grant another": " OR ".join(
        [*(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _TERMS), _KINDS]
    ),
    "it is ended once": "OLD.revoked_at IS NOT NULL",
}

OF_ENGAGEMENTS = (
    refusing("watchbook_engagement_granted", table=ENGAGEMENT, act="INSERT", what="Engagement", refusals=GRANTED),
    refusing("watchbook_engagement_kept", table=ENGAGEMENT, act="UPDATE", what="Engagement", refusals=ENDED),
    refusing("watchbook_engagement_never", table=ENGAGEMENT, act="DELETE", what="Engagement", refusals=NEVER),
)
OF_REVIEWS = (
    refusing("watchbook_review_kept", table=REVIEW, act="UPDATE", what="Review", refusals=KEPT),
    refusing("watchbook_review_never", table=REVIEW, act="DELETE", what="Review", refusals=NEVER),
)
OF_ITEMS = (refusing("watchbook_item_frozen", table=ITEM, act="INSERT", what="Item", refusals=FROZEN),)
OF_VERDICTS = (
    refusing("watchbook_verdict_proved", table=VERDICT, act="INSERT", what="Verdict", refusals=PROVED, first=_LOCK),
)
OF_ATTESTATIONS = (
    refusing(
        "watchbook_attestation_proved",
        table=ATTESTATION,
        act="INSERT",
        what="Attestation",
        refusals=ATTESTED,
        first=_LOCK,
    ),
)
