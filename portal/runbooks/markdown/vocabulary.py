"""How people call the sections, labels and columns of a runbook: data, one line for each meaning.

Titles and labels are compared in lower case, without numbers before them, signs, or what stands in brackets. A spelling
that stands in no line is not guessed: it is kept as text and reported.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class Place(StrEnum):
    """A place of the owner's template."""

    PURPOSE = "purpose"
    SYSTEM = "system"
    QUICK = "quick"
    CONTACTS = "contacts"
    DASHBOARD = "dashboard"
    METRICS = "metrics"
    PROCEDURES = "procedures"
    STARTUP = "startup"
    SHUTDOWN = "shutdown"
    BACKUP = "backup"
    MONITORING = "monitoring"
    TROUBLESHOOTING = "troubleshooting"
    ISSUES = "issues"
    INCIDENT = "incident"
    SEVERITIES = "severities"
    PROCESS = "process"
    SECURITY = "security"
    MAINTENANCE = "maintenance"
    TASKS = "tasks"
    DEPLOYMENT = "deployment"
    CONFIGURATION = "configuration"
    FILES = "files"
    VARIABLES = "variables"
    RECOVERY = "recovery"
    RTO = "rto"
    RPO = "rpo"
    RECOVERY_STEPS = "recovery-steps"
    APPENDIX = "appendix"
    COMMANDS = "commands"
    LOGS = "logs"
    REFERENCES = "references"
    HISTORY = "history"


# The template: each place with the level and the words of its heading, in its order.
TEMPLATE: tuple[tuple[Place, int, str], ...] = (
    (Place.PURPOSE, 2, "Purpose"),
    (Place.SYSTEM, 2, "System Information"),
    (Place.QUICK, 2, "Quick Reference"),
    (Place.CONTACTS, 3, "Emergency Contacts"),
    (Place.DASHBOARD, 3, "System Status Dashboard"),
    (Place.METRICS, 3, "Key Metrics"),
    (Place.PROCEDURES, 2, "Standard Operating Procedures"),
    (Place.STARTUP, 3, "Startup Procedure"),
    (Place.SHUTDOWN, 3, "Shutdown Procedure"),
    (Place.BACKUP, 3, "Backup Procedure"),
    (Place.MONITORING, 3, "Monitoring & Alerting"),
    (Place.TROUBLESHOOTING, 2, "Troubleshooting Guide"),
    (Place.ISSUES, 3, "Common Issues"),
    (Place.INCIDENT, 3, "Incident Response"),
    (Place.SEVERITIES, 4, "Severity Levels"),
    (Place.PROCESS, 4, "Incident Response Process"),
    (Place.SECURITY, 3, "Security Incident Response"),
    (Place.MAINTENANCE, 2, "Maintenance Procedures"),
    (Place.TASKS, 3, "Regular Maintenance Tasks"),
    (Place.DEPLOYMENT, 3, "Deployment Procedure"),
    (Place.CONFIGURATION, 2, "Configuration Management"),
    (Place.FILES, 3, "Configuration Files"),
    (Place.VARIABLES, 3, "Environment Variables"),
    (Place.RECOVERY, 2, "Disaster Recovery"),
    (Place.RTO, 3, "Recovery Time Objective (RTO)"),
    (Place.RPO, 3, "Recovery Point Objective (RPO)"),
    (Place.RECOVERY_STEPS, 3, "Disaster Recovery Steps"),
    (Place.APPENDIX, 2, "Appendix"),
    (Place.COMMANDS, 3, "Useful Commands"),
    (Place.LOGS, 3, "Log Locations"),
    (Place.REFERENCES, 3, "References"),
    (Place.HISTORY, 2, "Version History"),
)

# Spellings of titles: the first pattern that fits the whole title says the place.
TITLES: tuple[tuple[Place, str], ...] = (
    (Place.PURPOSE, r"purpose( and scope)?|overview|introduction|(about )?this (runbook|document)|description|summary"
                    r"|scope|what is this( runbook)?( for)?|goals?|objectives?"),
    (Place.SYSTEM, r"(system|service|application|component) (information|info|details|overview|facts|metadata)"
                   r"|(general|basic|document|runbook) (information|info|details|control)|at a glance"),
    (Place.CONTACTS, r"((emergency|key|important|on call|escalation|incident|support|service desk|vendor|team) )*"
                     r"contacts?( (list|information|info|details|sheet|persons?))?|who to (call|contact)|on call( contacts?)?"),
    (Place.DASHBOARD, r"((system|service|key|status|health|monitoring|grafana) )*dashboards?( links?)?|status page"),
    (Place.METRICS, r"(key|success) (metrics|indicators)( to (watch|monitor))?|golden signals|metrics|key metrics and dashboards"),
    (Place.STARTUP, r"((system|service|application) )?(start ?up|starting|start|boot)( up)?( (the|of the))?"
                    r"( (system|service|application))?( (procedures?|sequence|steps|process))?|how to start( .*)?"),
    (Place.SHUTDOWN, r"((system|service|graceful|application) )*(shut ?down|shutting down|stop|stopping)( (the|of the))?"
                     r"( (system|service|application))?( (procedures?|sequence|steps|process))?|how to stop( .*)?"),
    (Place.BACKUP, r"(.* )?back ?ups?( (procedures?|process|steps|policy|strategy|and restores?))*"),
    (Place.DEPLOYMENT, r"((application|service|production|standard|code) )*(deploy(ment|ing|s)?|releas(e|ing)|roll ?out)"
                       r"( (procedures?|process|steps|checklist|details))?|how to deploy( .*)?"),
    (Place.SEVERITIES, r"((incident|alert) )?(severity|severities|priority|priorities)"
                       r"( (levels?|classification|definitions?|matrix|table))*|which priority to assign"),
    (Place.SECURITY, r"(responding to )?security (incidents?|breach)( (response|procedures?|process|handling|types?"
                     r"|response process|response procedures?))*|security procedures?|security md"),
    (Place.PROCESS, r"incident (response )?(process|procedures?|workflow|steps|lifecycle|phases?|checklist)"
                    r"|response (process|procedures?|steps)"),
    (Place.INCIDENT, r"incident (response|management|handling)( (plan|playbook|runbook|team))?"),
    (Place.MONITORING, r"monitoring( and (alert(ing|s)?|observability))?|(alert(ing)?|critical performance) (thresholds?|rules)"
                       r"|alerts?|alerting|thresholds?"),
    (Place.TROUBLESHOOTING, r"trouble ?shooting( guide)?|(first|second) line troubleshooting"),
    (Place.ISSUES, r"(common|known|frequent|typical) (\w+ )?(issues?|problems?|scenarios?|errors?|failures?)"),
    (Place.TASKS, r"((regular|routine|scheduled|periodic|recurring) )+(maintenance )?(tasks?|maintenance|duties)"
                  r"|maintenance (tasks?|schedule|table)"),
    (Place.MAINTENANCE, r"maintenance( (procedures?|guide|operations?))?"),
    (Place.FILES, r"(configuration|config)( files?)?|configuration file locations?|important files"),
    (Place.VARIABLES, r"(environment|env|environmental) ?(variables?|vars?)|configuration variables"),
    (Place.CONFIGURATION, r"configuration management"),
    (Place.RTO, r"(recovery time objectives?|rto)( rto| recovery time objective)?"),
    (Place.RPO, r"(recovery point objectives?|rpo)( rpo| recovery point objective)?"),
    (Place.RECOVERY_STEPS, r"((disaster )?recovery|restore|restoration|dr) (steps|procedures?|process|checklist|sequence)"),
    (Place.RECOVERY, r"disaster recovery( (plan|procedures|testing procedures))?|recovery objectives?|dr( plan)?"),
    (Place.COMMANDS, r"(useful|common|helpful|quick|handy|key) (commands?|snippets?)( reference)?|command (snippets|reference)"
                     r"|cheat ?sheet"),
    (Place.LOGS, r"(log|logs?) (locations?|files?|paths?)|logs|where (are the|to find) logs"),
    (Place.REFERENCES, r"references?( links?)?|(useful|related|external|helpful|reference)? ?links?|see also|further reading"
                       r"|(related|additional) (documentation|documents|resources|runbooks|information)|resources"),
    (Place.HISTORY, r"((document|version|revision|change) )+(history|log)|change ?log|revisions?"),
    (Place.PROCEDURES, r"((standard|common|operational|operating|operations?) )+procedures?|procedures|runbook procedures?|sops?"),
    (Place.QUICK, r"quick reference( guide)?"),
    (Place.APPENDIX, r"appendi(x|ces)( .)?"),
)  # fmt: skip
_PATTERNS = tuple((place, re.compile(pattern)) for place, pattern in TITLES)
_TEMPLATE_TITLES: dict[str, Place] = {}


class Role(StrEnum):
    """What the words after a label, or under a small heading, are for."""

    OBJECTIVE = "objective"
    PREREQUISITES = "prerequisites"
    FREQUENCY = "frequency"
    STEPS = "steps"
    VALIDATION = "validation"
    ROLLBACK = "rollback"
    RESTORE_TEST = "restore-test"
    SYMPTOMS = "symptoms"
    DIAGNOSIS = "diagnosis"
    RESOLUTION = "resolution"
    PREVENTION = "prevention"
    THRESHOLDS = "thresholds"
    METRICS = "metrics"
    RESPONSE_TIME = "response-time"
    EVIDENCE = "evidence"
    SYSTEM_NAME = "system-name"
    VERSION = "version"
    OWNER = "owner"
    LAST_UPDATED = "last-updated"
    ON_CALL = "on-call"
    DASHBOARD = "dashboard"
    RTO = "rto"
    RPO = "rpo"
    LOGS = "logs"


LABELS: tuple[tuple[Role, str], ...] = (
    (Role.OBJECTIVE, r"objectives?|goal|purpose|aim"),
    (Role.PREREQUISITES, r"pre ?requisites?|requirements|before (you|we) (start|begin)|pre ?conditions?|pre checks?|you will need"),
    (Role.FREQUENCY, r"frequency|how often|cadence|schedule"),
    (Role.STEPS, r"((recovery|response|restore|action|baseline) )?(steps|procedure|flow|process|instructions|actions|actions to take)"),
    (Role.VALIDATION, r"validations?( steps)?|verification( steps)?|verify|post checks?|success criteria|how to verify|expected (result|outcome)s?"),
    (Role.ROLLBACK, r"roll ?back( (plan|procedure|steps))?|back ?out( plan)?|revert"),
    (Role.RESTORE_TEST, r"restore tests?( schedule)?|restore testing"),
    (Role.SYMPTOMS, r"symptoms?|signs|detection|how (do|will) (you|we) know"),
    (Role.DIAGNOSIS, r"diagnos(is|e|tics?)( steps)?|diagnosing|investigation( steps)?|triage"),
    (Role.RESOLUTION, r"resolutions?( steps)?|mitigations?( steps)?|fix(es)?|remediation( steps)?|solutions?|how to fix|workaround"),
    (Role.PREVENTION, r"preventions?|preventive (measures|actions)|long term fix"),
    (Role.THRESHOLDS, r"(alert|alerting|critical performance|performance|metric)? ?thresholds?"),
    (Role.METRICS, r"(key |success )?metrics( to (monitor|watch))?|((\w+ )*kpis?)"),
    (Role.RESPONSE_TIME, r"(alert )?response times?"),
    (Role.EVIDENCE, r"evidence collection|evidence"),
    (Role.SYSTEM_NAME, r"(system|service|application|component) name|system|service"),
    (Role.VERSION, r"(system |current )?version"),
    (Role.OWNER, r"((system|service|primary|runbook|document) )?owners?( team)?|owned by|maintainers?|owning team"),
    (Role.LAST_UPDATED, r"last (updated|modified|reviewed)( date| on)?|updated|date"),
    (Role.ON_CALL, r"on call( (contact|engineer|rotation|team))?|contact"),
    (Role.DASHBOARD, r"dashboards?( link)?|dashboard url|grafana"),
    (Role.RTO, r"rto|recovery time objective( rto)?|rto recovery time objective|target rto"),
    (Role.RPO, r"rpo|recovery point objective( rpo)?|rpo recovery point objective|target rpo"),
    (Role.LOGS, r"logs?( locations?| files?)?"),
)  # fmt: skip
_ROLE_PATTERNS = tuple((role, re.compile(pattern)) for role, pattern in LABELS)
OF_ISSUE = frozenset({Role.SYMPTOMS, Role.DIAGNOSIS, Role.RESOLUTION, Role.PREVENTION})
OF_PROCEDURE = frozenset({Role.PREREQUISITES, Role.STEPS, Role.VALIDATION, Role.ROLLBACK})


@lru_cache(maxsize=4096)
def plain(title: str) -> str:
    """Return a title as it is compared: "3.1 📞 **On-call contacts** (24/7):" is "on call contacts"."""
    said = re.sub(r"\([^)]*\)|\[[^\]]*\]\([^)]*\)", lambda m: m[0] if m[0].startswith("[") else " ", title)
    if not re.search(r"\w", said):
        said = title
    said = re.sub(r"[^\w\s&]|_", " ", said.lower()).replace("&", " and ")
    said = re.sub(r"^\s*(?:(?:\d+|[ivx]+)\s+)+(?=\D)", "", said)
    return " ".join(said.split())


@lru_cache(maxsize=4096)
def template_place(title: str) -> Place | None:
    """Return the place whose heading in the template has just this title."""
    if not _TEMPLATE_TITLES:
        _TEMPLATE_TITLES.update((" ".join(words.lower().split()), place) for place, _, words in TEMPLATE)
    return _TEMPLATE_TITLES.get(" ".join(re.sub(r"[^\w\s&()]", " ", title.lower()).split()))


@lru_cache(maxsize=4096)
def place_of(title: str) -> Place | None:
    """Return the place that a title speaks of; nothing when it is not known."""
    said = plain(title)
    return template_place(title) or next((place for place, pattern in _PATTERNS if pattern.fullmatch(said)), None)


@lru_cache(maxsize=4096)
def role_of(label: str) -> Role | None:
    """Return what a label is for; nothing when it is not known."""
    said = plain(label)
    return next((role for role, pattern in _ROLE_PATTERNS if pattern.fullmatch(said)), None)
