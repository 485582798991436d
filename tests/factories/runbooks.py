"""Runbooks for tests: made, written, published by a second person."""

from __future__ import annotations

from portal.runbooks import services
from tests.factories.approvals import decide, make_person
from tests.factories.directory import NOON
from tests.factories.payloads import SAMPLES

RUNBOOKS, OWNERS = SAMPLES / "runbooks", SAMPLES.parent / "owner"

TEXT = """# Ticket desk

## Purpose

How the ticket desk is run.

## Standard Operating Procedures

### Startup Procedure

**Objective**: Start the desk

**Prerequisites**:
- [ ] Database is up

**Steps**:
1. Start the queue
2. Start the web processes
   ```bash
   systemctl start desk
   ```

**Validation**:
- [ ] Health checks pass

**Rollback**: Stop both again

### Rotate the signing key

1. Make a new key
2. Publish its public half

## Troubleshooting Guide

### Common Issues

#### Issue: Mails are not sent

**Symptoms**:
- The outbox grows

**Diagnosis Steps**:
1. Look at the relay's log

**Resolution**:
1. Restart the relay

**Prevention**:
- Watch the size of the outbox

### Security Incident Response

1. **DO NOT** shut down
2. Call the security lead

## Configuration Management

### Configuration Files

| File | Location | Purpose | Backup |
|------|----------|---------|--------|
| desk.toml | `/etc/desk/desk.toml` | Settings | nightly |

### Environment Variables

| Variable | Required | Default | Description |
|----------|----------|---------|-------------|
| `DESK_URL` | Yes | | Where the desk answers |
| `DESK_DEBUG` | No | off | Says more in the log |
"""


def writer():
    """Somebody who writes runbooks."""
    return make_person("Will Writer", "responder")


def make_runbook(title="Ticket desk", *, system=None, text=TEXT, by=None, at=NOON, **more):
    """Make a runbook with a first draft."""
    by = by or writer()
    runbook = services.make(title=title, system=system, by=by, at=at, **more)
    services.begin(runbook, text=text, by=by, at=at)
    return runbook


def approve(version, *, by=None, at=NOON):
    """Send a draft to review and let a second person approve it."""
    decider = make_person("Mona Manager", "manager")
    asked = services.submit(version, by=by or writer(), at=at, reason="It is ready")
    return decide(asked, decider, at=at)


def publish(version, *, at=NOON, by=None):
    """Put a draft in force."""
    by = by or writer()
    approve(version, by=by, at=at)
    return services.publish(version, by=by, at=at)


def make_published(title="Ticket desk", *, at=NOON, **more):
    """Make a runbook whose first version is in force."""
    runbook = make_runbook(title, at=at, **more)
    publish(runbook.versions.get(), at=at)
    runbook.refresh_from_db()
    return runbook
