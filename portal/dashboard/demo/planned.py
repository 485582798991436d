"""What was changed at Halyard Desk Ltd, and what is planned: the plans of its changes, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HOUR, DAY = 60, 24 * 60


@dataclass(frozen=True)
class Act:
    """What somebody did, so many minutes after the planned start; before it when negative."""

    minute: float
    verb: str
    who: str
    words: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Planned:
    """One change. It starts in so many `days` at `clock` o'clock in London, or `ago` minutes before now.

    `template` names the template of a standard change; its plans are not repeated here. `runbook` is the system whose
    runbook in force is followed, `modules` how many of the release it touches, `fixes` the title of an incident.
    """

    title: str
    why: str
    systems: tuple[str, ...]
    minutes: int
    requester: str
    implementer: str
    acts: tuple[Act, ...]
    days: float = 0
    clock: str = "21:00"
    ago: float | None = None
    steps: tuple[tuple[str, int], ...] = ()
    checks: tuple[tuple[str, int], ...] = ()
    back: tuple[tuple[str, int], ...] = ()
    test: str = ""
    back_minutes: int = 15
    no_return: str = "None: the old one is kept until the change is closed."
    rehearsed: int | None = None
    outage: int | None = None
    type: str = "normal"
    template: str = ""
    runbook: str = ""
    modules: int = 0
    fixes: str = ""


def prepared(first: float, requester: str, *, risk: tuple[int, int], stages: int = 2) -> tuple[Act, ...]:
    """Return how a change comes to be decided: submitted, assessed by the change approver, decided at its stages.

    `stages` is how many decide at most; its risk chooses how many are asked.
    """
    decided = tuple(Act(first + 6 * HOUR + 5 * HOUR * n, "approve", "arjun") for n in range(stages))
    return (
        Act(first, "submit", requester),
        Act(first + 3 * HOUR, "assess", "arjun", {"impact": risk[0], "likelihood": risk[1]}),
        *decided,
    )


MOVE = (("Put the standby on the new volume and let it catch up", 20), ("Switch over to the standby", 5),
        ("Move the old primary to the new volume", 20))  # fmt: skip
BACK = (("Switch back to the old primary", 5), ("Take the new volume out of the cluster", 10))

CHANGES = (
    Planned(
        "Move Ticket Database to the new storage",
        "The old volumes leave support in January, and twice this autumn they were slow for an hour.",
        ("ticket-database",), 90, "kwame", "amara", days=-12, steps=MOVE, back=BACK, rehearsed=20, outage=5,
        checks=(("Replication is level within a minute", 5), ("A ticket can be written and found", 5)),
        test="Read and write tickets for ten minutes, and compare the counters of both servers.", runbook="ticket-desk",
        no_return="After the old primary was moved, only a restore leads back.",
        acts=(
            *prepared(-5 * DAY, "kwame", risk=(4, 3)),
            Act(-30 * HOUR, "gates", "kwame"), Act(-29 * HOUR, "schedule", "kwame"), Act(0, "start", "amara"),
            Act(22, "tick", "amara", {"plan": "implementation", "steps": (1,)}),
            Act(26, "tick", "amara", {"plan": "implementation", "steps": (2,)}),
            Act(27, "note", "amara", {"text": "Writes stood still for 40 seconds. Nobody called."}),
            Act(51, "tick", "amara", {"plan": "implementation", "steps": (3,)}), Act(52, "verify", "amara"),
            Act(66, "tick", "kwame", {"plan": "validation"}),
            Act(70, "close", "kwame", {"outcome": "successful"}),
        ),
    ),
    Planned(
        "Raise the connection limit of the message queue",
        "At month end the workers wait for a connection, and mails are late by minutes.",
        ("message-queue",), 60, "kwame", "amara", days=-6, clock="20:30", back_minutes=10, rehearsed=None,
        steps=(("Raise the limit on the first node and restart it", 10), ("Watch memory for ten minutes", 10),
               ("Do the same on the other nodes", 15)),
        checks=(("No queue grows for ten minutes", 10),),
        back=(("Put the old limit back on every node that has the new one", 5), ("Restart those nodes one by one", 5)),
        test="A burst of five thousand jobs is worked off within two minutes.",
        acts=(
            *prepared(-4 * DAY, "kwame", risk=(3, 3)), Act(-28 * HOUR, "gates", "kwame"),
            Act(-27 * HOUR, "schedule", "kwame"), Act(2, "start", "amara"),
            Act(11, "tick", "amara", {"plan": "implementation", "steps": (1,)}),
            Act(21, "failstep", "amara", {"step": 2, "why": "The node took 92 % of its memory and began to swap."}),
            Act(23, "rollback", "amara", {"reason": "The first node swaps under the new limit."}),
            Act(31, "tick", "amara", {"plan": "rollback", "steps": (1,)}),
            Act(41, "tick", "amara", {"plan": "rollback", "steps": (2,)}), Act(42, "verify", "amara"),
            Act(16 * HOUR, "close", "kwame", {"outcome": "rolled_back", "review": (
                "Each connection takes twice the memory that the manual says. The rollback took 18 minutes, not 10:"
                " the node drains slowly once it swaps. We ask for larger nodes first, and try the limit in staging"
                " under the load of a month end."
            )}),
        ),
    ),
    Planned(
        "Block mail of a forged sender at the relay",
        "Forged invoices in our name reach customers through the relay of Mail Intake.",
        ("mail-intake",), 60, "amara", "kwame", ago=29 * HOUR, type="emergency", back_minutes=5,
        steps=(("Refuse the sender at the relay", 5), ("Empty the queue of what is held already", 10)),
        back=(("Take the rule out again", 2),), test="A forged mail is refused, a true one arrives.",
        acts=(
            Act(0, "emergency", "kwame", {"authority": "arjun", "reason": "Forged invoices reach customers now."}),
            Act(9, "tick", "kwame", {"plan": "implementation"}), Act(12, "verify", "kwame"),
            Act(20, "tick", "kwame", {"plan": "validation"}),
        ),
    ),
    Planned(
        "Apply a security patch to Identity", "The maker closes a weakness in single sign-on.", ("identity",), 120,
        "amara", "amara", days=-9, clock="06:00", template="security-patch",
        acts=(
            Act(-2 * DAY, "submit", "amara"), Act(-46 * HOUR, "assess", "arjun", {"impact": 2, "likelihood": 1}),
            Act(-40 * HOUR, "gates", "amara"), Act(-39 * HOUR, "schedule", "amara"), Act(0, "start", "amara"),
            Act(80, "tick", "amara", {"plan": "implementation"}), Act(81, "verify", "amara"),
            Act(95, "tick", "kwame", {"plan": "validation"}), Act(100, "close", "amara", {"outcome": "successful"}),
        ),
    ),
    Planned(
        "Release 5.15 of Ticket Desk",
        "Replies by voice, and what was mended since 5.14.", ("ticket-desk", "search-index"), 120, "kwame", "amara",
        days=2, clock="19:00", runbook="ticket-desk", modules=12, back_minutes=25, rehearsed=11,
        steps=(("Take a backup and note its name", 15), ("Run the database migrations", 20), ("Deploy 5.15", 25)),
        checks=(("Every module answers its check", 15),),
        back=(("Deploy 5.14", 15), ("Restore the backup when migrations ran", 10)),
        test="The checks of every module that is touched pass on production.",
        no_return="After customers wrote replies by voice: 5.14 does not show them.",
        acts=(
            *prepared(-6 * DAY, "kwame", risk=(3, 2)),
            Act(-4.5 * DAY, "gates", "kwame", {"only": ("code-review", "tests")}),
            Act(-4.2 * DAY, "matrix", "amara", {"rows": 7}), Act(-4.1 * DAY, "matrix_part", "kwame", {"row": 8}),
        ),
    ),
    Planned(
        "Put attachments behind the new cache",
        "Files of a gigabyte take a minute to begin, and agents open them twice.",
        ("attachment-store",), 90, "kwame", "amara", ago=74, back_minutes=30, rehearsed=40,
        steps=(("Fill the cache with the files of last week", 30), ("Let downloads go through it", 5),
               ("Take the old addresses out of the balancer", 10)),
        checks=(("The hundred most wanted files begin within a second", 10),),
        back=(("Let downloads go past the cache", 5), ("Put the old addresses back, and empty the cache", 25)),
        test="The hundred most wanted files begin within a second, and are the same byte for byte.",
        acts=(
            *prepared(-4 * DAY, "kwame", risk=(2, 2)), Act(-26 * HOUR, "gates", "kwame"),
            Act(-25 * HOUR, "schedule", "kwame"), Act(1, "start", "amara"),
            Act(38, "tick", "amara", {"plan": "implementation", "steps": (1,)}),
            Act(39, "note", "amara", {"text": "Filling took eight minutes more than planned."}),
        ),
    ),
    Planned(
        "Renew the certificate of Knowledge Base", "It ends in nine days.", ("knowledge-base",), 30, "amara", "kwame",
        days=3, clock="07:00", steps=(("Put the new certificate in place", 5), ("Reload the servers", 2)),
        checks=(("An article opens without a warning", 5),), back=(("Put the old certificate back", 5),),
        test="The chain is complete in three browsers and with curl.", back_minutes=5, rehearsed=300,
        acts=(
            *prepared(-6 * DAY, "amara", risk=(2, 1)), Act(-4.6 * DAY, "gates", "amara"),
            Act(-4.5 * DAY, "schedule", "amara"),
        ),
    ),
    Planned(
        "Upgrade PostgreSQL to 16", "Version 15 gets fixes for another year only, and 16 halves our nightly jobs.",
        ("ticket-database",), 180, "kwame", "amara", days=8, clock="22:00", steps=MOVE, back=BACK, back_minutes=75,
        outage=20, test="The nightly jobs of last week run on the copy without a difference.", runbook="ticket-desk",
        checks=(("Queries of the slow list keep their plans", 20),),
        no_return="After the switch writes go to 16 only; the way back loses them.",
        acts=(*prepared(-10.5 * DAY, "kwame", risk=(4, 3), stages=1),),
    ),
    Planned(
        "Put a second region in front of Customer Portal", "One hall is one power cut away from a dark portal.",
        ("customer-portal",), 240, "kwame", "amara", days=11, clock="21:30", back_minutes=20,
        steps=(("Copy the portal to the second region", 90), ("Let a tenth of the traffic go there", 30),
               ("Let all of it go to both", 30)),
        back=(("Point the names at the first region", 10),), test="The portal answers while the first region is shut.",
        acts=(*prepared(-13.5 * DAY, "kwame", risk=(4, 4), stages=0),),
    ),
    Planned(
        "Turn on compression for attachments", "Files of customers fill a terabyte a month.", ("attachment-store",), 60,
        "amara", "kwame", days=9, clock="20:00", steps=(("Turn it on for new files", 5),),
        back=(("Turn it off for new files", 5),), test="A file comes back as it was, byte for byte.", back_minutes=5,
        acts=(Act(-10.6 * DAY, "submit", "amara"),),
    ),
    Planned(
        "Archive tickets that are older than seven years", "They are searched twice a year and copied every night.",
        ("ticket-database", "reporting-warehouse"), 120, "amara", "kwame", days=16,
        steps=(("Copy them to the archive", 60), ("Delete them in pieces of ten thousand", 60)), acts=(),
    ),
    Planned(
        "Drop the old search nodes at once", "They cost as much as the new ones.", ("search-index",), 30, "amara",
        "kwame", days=5, steps=(("Switch the nodes off", 5),), back=(("Switch them on again", 10),), back_minutes=10,
        test="Search answers.",
        acts=(
            *prepared(-8.5 * DAY, "amara", risk=(3, 3), stages=0),
            Act(-8 * DAY, "reject", "arjun", {"reason": "The new index has not seen a month end. Ask again after it."}),
        ),
    ),
    Planned(
        "Send invoices a day earlier", "Finance asked for it.", ("billing-bridge",), 30, "amara", "kwame", days=4,
        clock="18:00", steps=(("Move the job to the day before", 5),), back=(("Move it back", 5),), back_minutes=5,
        test="The plan of jobs shows the new day.",
        acts=(
            Act(-7.5 * DAY, "submit", "amara"),
            Act(-7 * DAY, "cancel", "amara", {"reason": "Finance took it back: the month ends on a Sunday."}),
        ),
    ),
    Planned(
        "Apply a security patch to Message Queue", "The maker closes a weakness in its console.", ("message-queue",),
        120, "amara", "amara", days=6, clock="06:00", template="security-patch",
        acts=(
            Act(-7 * DAY, "submit", "amara"),
            Act(-6.8 * DAY, "assess", "arjun", {"impact": 2, "likelihood": 1}),
        ),
    ),
)  # fmt: skip
