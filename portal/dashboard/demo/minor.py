"""The smaller incidents of the last three months that are closed: seventeen of the forty."""

from __future__ import annotations

from portal.dashboard.demo.story import Story, ack, act, lived, note

MINOR = (
    # Nobody answered this one until the morning: every step was taken twice, then the administrators were paged.
    Story(
        "Nightly import of the reporting warehouse stands still", 3, ("reporting-warehouse",), days=13, clock="01:38",
        description="ImportStalled: no row was written for 30 min.",
        steps=(
            ack(372, "hannah"),
            note(375, "hannah", "The phones of both on call were in do not disturb. Both let the portal through now."),
            note(420, "jonas", "The import waited for a lock of a report that nobody had ended."),
            act(465, "resolve", "jonas"),
            act(1800, "close", "hannah"),
        ),
    ),
    Story(
        "Auto-replies are in the wrong language", 3, ("mail-intake",), days=6, clock="11:05", by="yusuf",
        steps=lived("jonas", answered=21, fixed=140, closed=1500, notes=(
            (60, "Customers without a language get that of the agent who answered last."),)),
    ),
    Story(
        "Search does not find tickets with an umlaut", 3, ("search-index",), days=11, clock="13:50", by="priya",
        steps=lived("mei", answered=29, fixed=330, closed=1700, notes=(
            (120, "The new index was built without the German rules. It is being built again."),)),
    ),
    Story(
        "Knowledge base pictures load from an old host", 3, ("knowledge-base",), days=18, clock="15:31", by="freya",
        steps=lived("yusuf", answered=34, fixed=95, closed=1440, notes=(
            (50, "Three articles hold the full address. Replaced in all of them."),)),
    ),
    Story(
        "Two-factor codes arrive after two minutes", 3, ("identity",), days=26, clock="08:12",
        description="CodeDelay above 60 s.",
        steps=lived("diego", answered=9, fixed=64, closed=800, notes=(
            (20, "The provider of text messages reports a backlog in two countries."),
            (55, "Codes go by the second provider for now.")),),
    ),
    Story(
        "Disk of one mail node is 91 % full", 3, ("mail-intake",), days=33, clock="19:44",
        description="DiskFillsUp: full in about 9 h.",
        steps=lived("amara", answered=18, fixed=51, closed=620, notes=(
            (30, "Debug logs of last week's search were left on. Switched off, 60 GB removed."),)),
    ),
    Story(
        "Merged tickets lose their tags", 3, ("ticket-desk",), days=44, clock="10:20", by="priya",
        steps=lived("jonas", answered=27, fixed=1260, closed=4300, notes=(
            (200, "Tags of the second ticket are dropped since 5.13. The history still has them."),
            (1200, "Tags of 318 tickets are put back from their history.")),),
    ),
    Story(
        "Invoices of October count test agents", 3, ("billing-bridge",), days=19, clock="09:15", by="hannah",
        steps=lived("kwame", answered=36, fixed=420, closed=2900, notes=(
            (300, "The mark for test agents was not part of the copy. 14 invoices were held back in time."),)),
    ),
    Story(
        "Webhook signatures are refused by one customer", 3, ("webhook-gateway",), days=65, clock="14:41", by="yusuf",
        steps=lived("mei", answered=25, fixed=110, closed=1600, notes=(
            (70, "Their clock is 9 min ahead, so that our signatures are too old for them. They correct it."),)),
    ),
    Story(
        "Typing mistake in the footer of closing mails", 4, ("mail-intake",), days=8, clock="10:02", by="freya",
        steps=lived("yusuf", answered=16, fixed=75, closed=1440, notes=((60, "Corrected in all six languages."),)),
    ),
    Story(
        "Sorting by company ignores capitals", 4, ("ticket-desk",), days=15, clock="16:12", by="priya",
        steps=lived("amara", answered=33, fixed=1320, closed=4400, notes=((700, "Goes out with the next release."),)),
    ),
    Story(
        "Help link on the sign-in page leads nowhere", 4, ("identity", "knowledge-base"), days=22, clock="09:30", by="yusuf",
        steps=lived("diego", answered=19, fixed=82, closed=900, notes=((70, "The article was renamed. The link follows."),)),
    ),
    Story(
        "Report of busy hours is shifted by one hour", 4, ("reporting-warehouse",), days=27, clock="11:11", by="hannah",
        steps=lived("jonas", answered=31, fixed=1500, closed=5800, notes=(
            (300, "Since the clocks went back. The report adds the zone twice."),)),
    ),
    Story(
        "Dark theme: selected tab cannot be read", 4, ("customer-portal",), days=36, clock="13:05", by="freya",
        steps=lived("yusuf", answered=22, fixed=2900, closed=4500, notes=((60, "Contrast is 2.1. A fix waits for review."),)),
    ),
    Story(
        "Old logo in the mobile web app", 4, ("customer-portal",), days=52, clock="15:40", by="freya",
        steps=lived("yusuf", answered=3100, fixed=3160, closed=4400, notes=((3110, "Overlooked for two days. Replaced."),)),
    ),
    Story(
        "Expired test certificate on the staging gateway", 4, ("webhook-gateway",), days=69, clock="08:50",
        steps=lived("tomasz", answered=33, fixed=70, closed=500, notes=((50, "Renewed, and taken up in the list of certificates."),)),
    ),
    Story(
        "Backup report names a system that was switched off", 4, ("ticket-database",), days=78, clock="12:00", by="hannah",
        steps=lived("kwame", answered=22, fixed=180, closed=1500, notes=((150, "Removed from the list of backups."),)),
    ),
)  # fmt: skip
