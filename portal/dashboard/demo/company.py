"""Who works at Halyard Desk Ltd and what it runs. Telephone numbers are from the range kept for fiction."""

from __future__ import annotations

from dataclasses import dataclass

NAME = "Halyard Desk Ltd"
DOMAIN = "halyarddesk.example"


@dataclass(frozen=True)
class Person:
    """Somebody of the company. `login` is the role after which their account is named, where they have one."""

    key: str
    name: str
    title: str
    phone: str
    teams: tuple[str, ...]
    login: str = ""
    zone: str = "Europe/London"


@dataclass(frozen=True)
class Product:
    """Something the company runs. `people` are primary owner, operations lead and security lead, each with a backup."""

    slug: str
    name: str
    description: str
    version: str
    updated_days_ago: int
    owner: str
    people: tuple[tuple[str, str], tuple[str, str], tuple[str, str]]
    rto_minutes: int
    rpo_minutes: int
    parent: str = ""


PEOPLE = (
    Person("amara", "Amara Okafor", "Operations engineer", "+44 7700 900101", ("ops", "oncall"), "responder"),
    Person("jonas", "Jonas Lindqvist", "Senior operations engineer", "+44 7700 900102", ("ops", "oncall"), zone="Europe/Stockholm"),
    Person("tomasz", "Tomasz Wieczorek", "Platform engineer", "+44 7700 900103", ("platform", "oncall"), zone="Europe/Warsaw"),
    Person("mei", "Mei Tanaka", "Platform engineer", "+44 7700 900104", ("platform",), zone="Asia/Tokyo"),
    Person("arjun", "Arjun Mehta", "Head of platform", "+44 7700 900105", ("platform",), "change-approver"),
    Person("leila", "Leila Nasser", "Security lead", "+44 7700 900106", ("security",), "security-lead"),
    Person("diego", "Diego Fuentes", "Security engineer", "+44 7700 900107", ("security",), zone="Europe/Madrid"),
    Person("hannah", "Hannah Whitcombe", "Head of operations", "+44 7700 900108", ("ops",), "manager"),
    Person("kwame", "Kwame Mensah", "Systems administrator", "+44 7700 900109", ("ops", "platform"), "administrator"),
    Person("priya", "Priya Raman", "Support team lead", "+44 7700 900110", ("support",)),
    Person("yusuf", "Yusuf Demir", "Support engineer", "+44 7700 900111", ("support", "oncall"), zone="Europe/Istanbul"),
    Person("freya", "Freya Halvorsen", "Customer communications", "+44 7700 900112", ("support",), zone="Europe/Oslo"),
    Person("noor", "Noor Haddad", "Account manager", "+44 7700 900114", (), "stakeholder"),
    Person("siobhan", "Siobhan Kearney", "Internal auditor", "+44 7700 900113", (), "auditor", zone="Europe/Dublin"),
)  # fmt: skip

# Whoever is on call takes turns, two weeks each.
ROTAS: dict[str, tuple[str, ...]] = {
    "oncall": ("amara", "jonas", "tomasz"),
    "ops": ("jonas", "amara"),
    "platform": ("tomasz", "mei"),
    "security": ("leila", "diego"),
    "support": ("yusuf", "priya"),
}
BACKUPS = ("kwame", "arjun", "hannah")  # second line behind the first of "oncall", a week each
HOLE = "support"  # nobody follows on Friday evening

_OPS = ("amara", "jonas")
_SEC = ("leila", "diego")

SYSTEMS = (
    Product("ticket-desk", "Ticket Desk", "The support-ticket system that customers and agents work in.", "5.14.2", 4,
            "support", (("priya", "yusuf"), _OPS, _SEC), 60, 15),
    Product("mail-intake", "Mail Intake", "Turns inbound mail into tickets and replies.", "5.14.2", 0,
            "support", (("priya", "yusuf"), _OPS, _SEC), 60, 5, "ticket-desk"),
    Product("search-index", "Search Index", "Finds tickets, customers and articles by their words.", "8.3.1", 12,
            "platform", (("mei", "tomasz"), _OPS, _SEC), 240, 1440, "ticket-desk"),
    Product("attachment-store", "Attachment Store", "Keeps the files that customers send.", "2.9.0", 31,
            "platform", (("tomasz", "mei"), _OPS, _SEC), 480, 60, "ticket-desk"),
    Product("ticket-database", "Ticket Database", "PostgreSQL with one standby. Everything of a ticket but its files.", "15.9", 45,
            "platform", (("arjun", "tomasz"), ("jonas", "amara"), _SEC), 60, 5, "ticket-desk"),
    Product("message-queue", "Message Queue", "Carries work between the parts of Ticket Desk.", "3.13.7", 45,
            "platform", (("tomasz", "mei"), ("jonas", "amara"), _SEC), 60, 15, "ticket-desk"),
    Product("identity", "Identity", "Sign-in of customers and agents, with single sign-on.", "24.0.5", 19,
            "security", (("leila", "diego"), _OPS, _SEC), 60, 60),
    Product("customer-portal", "Customer Portal", "Where customers read their tickets and the status page.", "3.22.0", 6,
            "support", (("priya", "freya"), _OPS, _SEC), 120, 60),
    Product("knowledge-base", "Knowledge Base", "Articles for customers and runbooks for agents.", "1.18.4", 27,
            "support", (("freya", "priya"), _OPS, _SEC), 480, 1440, "customer-portal"),
    Product("webhook-gateway", "Webhook Gateway", "Tells customers' own systems about tickets.", "4.1.0", 9,
            "platform", (("mei", "tomasz"), _OPS, _SEC), 240, 60),
    Product("reporting-warehouse", "Reporting Warehouse", "Nightly copies for reports and invoices.", "2026.10", 20,
            "ops", (("hannah", "kwame"), ("jonas", "amara"), _SEC), 1440, 1440),
    Product("billing-bridge", "Billing Bridge", "Sends counted seats to the invoicing service.", "0.9.6", 66,
            "ops", (("kwame", "hannah"), ("jonas", "amara"), _SEC), 1440, 240, "reporting-warehouse"),
)  # fmt: skip

# Policies: name, systems, steps of (seconds after the step before, targets as kind:value). The first two stand in
# every portal and get one step more.
POLICIES: tuple[tuple[str, tuple[str, ...], tuple[tuple[int, tuple[str, ...]], ...]], ...] = (
    ("On call, then operations", (), (
        (600, ("person:hannah",)),
    )),
    ("Security", (), (
        (600, ("person:leila", "person:hannah")),
    )),
    ("Ticket Desk and what it needs", ("ticket-desk", "mail-intake", "ticket-database", "message-queue", "identity"), (
        (0, ("team:oncall", "channel:Operations room")),
        (300, ("role:primary_owner", "team:platform")),
        (600, ("person:arjun", "person:hannah")),
    )),
)  # fmt: skip

# The label of an alert that names a service, and the system that it means.
MAPPINGS = (
    ("service", "ticket-*", "ticket-desk"),
    ("service", "mail-*", "mail-intake"),
    ("job", "postgres*", "ticket-database"),
)
