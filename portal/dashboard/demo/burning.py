"""What is open now, resolved but not closed, cancelled or merged: fourteen of the forty incidents; and a drill."""

from __future__ import annotations

from portal.dashboard.demo.story import (
    CUSTOMERS,
    EXECUTIVES,
    STAKEHOLDERS,
    Story,
    ack,
    act,
    command,
    fail,
    give,
    join,
    keep,
    merge,
    note,
    tell,
    tick,
)

KEY_LOG = """198.51.100.23 key=hd_live_7Q2m** GET /v2/tickets?page=1 200
198.51.100.23 key=hd_live_7Q2m** GET /v2/tickets?page=2 200
203.0.113.77 key=hd_live_7Q2m** GET /v2/tickets/48213 200
203.0.113.77 key=hd_live_7Q2m** GET /v2/tickets/48214 403
"""

PARSER_LOG = """mail-parser 5.14.2 node-1 part 3 of batch 88114: text/calendar; method=REQUEST
mail-parser 5.14.2 node-1 UnknownProperty: X-WR-RELCALID in VCALENDAR, line 4
mail-parser 5.14.2 node-1 batch 88114 given back to the queue, 200 messages
mail-parser 5.14.2 node-1 exit 70, restarting
"""
QUEUE_DEPTH = """minute,waiting,taken
-6,212,198
-5,418,0
-4,2960,0
-2,7710,0
0,14200,0
"""

OPEN = (
    Story(
        "Inbound mail is not turned into tickets", 1, ("mail-intake",), ago=38,
        description="MailIntakeQueueGrowing: 14,200 messages wait, none was turned into a ticket for 6 min.",
        steps=(
            ack(3, "amara"),
            command(4, "amara"),
            tick(6, "amara", "oncall", 1, 2, 3),
            note(7, "amara", "Queue depth 14,200 and rising by 240 a minute. The parser restarts every 20 s."),
            tell(9, "amara", STAKEHOLDERS, "Mail sent to support addresses waits in the queue. Nothing is lost. We look at the release that went out just before."),
            join(12, "amara", "tomasz"),
            tick(13, "priya", "support", *range(1, 13)),
            tick(15, "tomasz", "platform", 1, 2),
            keep(
                15.5, "amara", "queue-depth.csv", QUEUE_DEPTH, source="queue monitor of mail-intake",
                shows="How many messages waited and were taken, minute by minute, from before the release on.",
            ),
            fail(16, "tomasz", "platform", 3, "The parser restarts before its log is written. The log of the node is collected instead."),
            note(17, "tomasz", "The parser of 5.14.2 fails on calendar invitations, takes the whole batch with it and starts again."),
            keep(
                18, "tomasz", "parser-node-1.log", PARSER_LOG, source="node-1:/var/log/mail-parser.log",
                shows="The parser of 5.14.2 ends on a calendar invitation and gives its whole batch back.",
            ),
            tell(24, "amara", STAKEHOLDERS, "The cause is found: release 5.14.2 of Mail Intake. We go back to 5.14.1."),
            tick(27, "diego", "security", 1, 2, 3, 4, 5, 6),
            tick(29, "tomasz", "platform", 4, 5, 6, 7),
            tick(29.5, "jonas", "ops", 1, 2, 3, 4, 5, 6, 7, 8, 9),
            note(30, "tomasz", "Rollback to 5.14.1 has started on the first of three nodes."),
            tell(33, "freya", CUSTOMERS, "Mail to your support address is received, but becomes a ticket with delay. Nothing is lost. Next message in 30 minutes."),
        ),
    ),
    Story(
        "Search results are up to 20 min behind", 2, ("search-index",), ago=126,
        description="IndexLag above 15 min for 10 min.",
        steps=(
            ack(11, "jonas"),
            command(12, "jonas"),
            tell(22, "freya", CUSTOMERS, "New tickets appear in search up to 20 minutes late. Open them from the list in the meantime."),
            tick(25, "jonas", "oncall", *range(1, 17)),
            tick(28, "mei", "platform", *range(1, 10)),
            note(31, "jonas", "One of three indexers is out of disk: a snapshot from last week was never removed."),
            tell(50, "jonas", EXECUTIVES, "Search lags by 20 minutes. No data is lost; a full disk is being cleared. Expected end: within two hours."),
            tell(80, "freya", CUSTOMERS, "Search is still behind, now by 12 minutes, and catches up."),
        ),
    ),
    Story("Sign-in takes longer than 20 s", 2, ("identity",), ago=1.5, steps=(),
          description="SignInSlow: the 95th percentile of sign-ins is 22.4 s."),
    Story("Webhook deliveries to one customer are tried for ever", 3, ("webhook-gateway",), ago=6, by="yusuf", steps=(),
          description="Their endpoint answers 301 since yesterday. The queue of that customer holds 8,400 deliveries."),
    Story(
        "Attachment downloads fail for files above 25 MB", 3, ("attachment-store",), ago=300, by="priya",
        description="Customers get an empty file. Uploads are not affected.",
        steps=(
            ack(14, "mei"),
            command(15, "mei"),
            note(48, "mei", "The storage vendor cut the time limit of one request to 10 s today."),
            act(95, "mitigate", "mei"),
            note(96, "mei", "Large files are served through the old gateway. Slower, but whole."),
            act(120, "pause_clock", "mei", "Waits for the storage vendor, who promised an answer by tomorrow."),
        ),
    ),
    Story(
        "CSV exports of more than 50,000 tickets time out", 3, ("reporting-warehouse",), ago=190, by="hannah",
        steps=(
            ack(35, "jonas"),
            note(80, "jonas", "The export holds everything in memory. Exports of single months work as a way round."),
        ),
    ),
    Story("Weekly report shows last week's team names", 4, ("reporting-warehouse",), ago=1000, by="hannah", steps=(),
          description="Two teams were renamed on Monday. Figures are right, names are not."),
    Story(
        "Avatars are missing in the customer portal", 4, ("customer-portal",), ago=2300, by="freya",
        steps=(
            ack(25, "yusuf"),
            note(130, "yusuf", "The image service answers 403 since its certificate was renewed."),
            act(210, "mitigate", "yusuf"),
            note(212, "yusuf", "Initials are shown in place of pictures until the new certificate is known everywhere."),
        ),
    ),
)  # fmt: skip

SETTLING = (
    Story(
        "Customer's API key found in a public repository", 2, ("webhook-gateway", "identity"), days=4, clock="10:12",
        by="diego", security=True, description="Found by the daily search for our key prefix. The key may read tickets.",
        steps=(
            ack(4, "leila"),
            command(5, "leila"),
            note(9, "diego", "The key was used from two addresses that are not the customer's since Tuesday 21:40."),
            keep(
                11, "diego", "gateway-access.log", KEY_LOG, source="gateway-eu-2:/var/log/gateway/access.log",
                shows="The last requests with the customer's key, cut from the log of the day.",
            ),
            act(12, "mitigate", "leila"),
            note(12, "leila", "The key is revoked. All sessions opened with it are ended."),
            tell(26, "freya", CUSTOMERS, "To the customer concerned, by telephone and mail: the key is revoked, a new one waits in the settings."),
            tell(55, "leila", EXECUTIVES, "One customer's key was public for 31 hours and was used to read 214 tickets. It is revoked. The customer knows."),
            act(340, "resolve", "leila"),
            give(352, "diego", "leila", "For the report to the customer's data protection officer."),
        ),
    ),
    Story(
        "Outbound mail is marked as spam by one large provider", 2, ("mail-intake",), days=2, clock="08:31", by="yusuf",
        steps=(
            ack(22, "amara"),
            command(24, "amara"),
            tell(29, "freya", CUSTOMERS, "Replies from Ticket Desk may be in the spam folder. We are talking to the provider."),
            note(70, "amara", "One of our sending addresses is listed since last night. A customer's newsletter ran over it."),
            tell(88, "freya", CUSTOMERS, "Mail now leaves by another address and arrives. Mail of the night may still be in spam folders."),
            act(150, "mitigate", "amara"),
            act(412, "resolve", "amara"),
        ),
    ),
    Story(
        "Status page shows an incident that is over", 3, ("customer-portal",), days=1, clock="15:20", by="freya",
        steps=(
            ack(12, "yusuf"),
            note(40, "yusuf", "The page caches for an hour more than it says. The cache was emptied by hand."),
            act(66, "resolve", "yusuf"),
        ),
    ),
)  # fmt: skip

DRILLS = (
    Story(
        "The ticket database is gone and comes back from its backup", 1, ("ticket-database",), days=17, clock="14:00",
        by="hannah", drill=True,
        description="Exercise of the quarter: the primary and its standby are lost at the same moment.",
        steps=(
            ack(4, "tomasz"),
            command(6, "tomasz"),
            note(9, "tomasz", "The newest whole backup is of 13:45. It is being read into an empty server."),
            tell(14, "amara", STAKEHOLDERS, "Exercise: the ticket database is being restored from the backup of 13:45."),
            tell(26, "freya", CUSTOMERS, "Written as it would be sent, and sent to nobody: Ticket Desk does not answer. We are restoring it."),
            note(38, "jonas", "The restore needed a key that one person alone could reach. Written down as a finding."),
            tell(40, "amara", STAKEHOLDERS, "Exercise: the backup is read in. Tickets are counted and compared before it is opened."),
            act(47, "mitigate", "tomasz"),
            tell(52, "arjun", EXECUTIVES, "Exercise: the database was back after 47 minutes; the objective is 60."),
            act(55, "resolve", "tomasz"),
            act(1390, "close", "hannah"),
        ),
    ),
)  # fmt: skip

CANCELLED = (
    Story(
        "Ticket Desk is unreachable", 1, ("ticket-desk",), days=23, clock="09:04", by="priya",
        steps=(
            ack(2, "amara"),
            note(5, "amara", "Reachable from outside and from every probe. Only the office in Leeds has no way out."),
            act(7, "cancel", "amara", "Ticket Desk was up all the time: the office's own line was down."),
        ),
    ),
    Story(
        "Search returns nothing for one customer", 3, ("search-index",), ago=119, by="yusuf",
        steps=(
            ack(8, "mei"),
            merge(14, "mei", OPEN[1].title, "The same indexer: the customer's newest tickets are those that are missing."),
        ),
    ),
    Story(
        "Message Queue lost its leader", 2, ("message-queue",), days=61, clock="14:00",
        steps=(
            ack(3, "tomasz"),
            act(6, "cancel", "tomasz", "It belonged to the exercise of this afternoon. The alert was not silenced for it."),
        ),
    ),
)  # fmt: skip
