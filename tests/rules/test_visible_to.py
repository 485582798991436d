"""Every list, search, count and choice that a reader sees goes through visible_to."""

import ast
from pathlib import Path

import pytest
from django.apps import apps

from portal.lib.visibility import VisibleQuerySet

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("portal", "incidents", "changes", "maintenance")
PAGES = ("views", "admin", "context", "forms", "feeds", "exports", "api", "selectors")
NARROWED = {m.__name__ for m in apps.get_models() if isinstance(m._default_manager.none(), VisibleQuerySet)}
HARMLESS = {"visible_to", "none"}
SHORTCUTS = {"get_object_or_404", "get_list_or_404", "aget_object_or_404"}
# Queries that no reader's rights narrow: file, model and reason.
EXEMPT = {
    ("portal/accounts/views/account.py", "User"): "one's own account",
    ("portal/accounts/views/door.py", "User"): "whoever just gave the password of this account",
    ("portal/dashboard/views.py", "Contact"): "one's own entry",
    ("portal/notify/views/own.py", "Contact"): "one's own entry",
    ("portal/notify/views/methods.py", "ContactMethod"): "one's own methods",
    ("portal/notify/forms.py", "Severity"): "the levels that one may page oneself as, without content",
    ("portal/notify/views/showing.py", "Severity"): "which levels are loud for oneself, without content",
    ("portal/directory/oncall/views/common.py", "Contact"): "one's own entry",
    ("portal/directory/oncall/views/feeding.py", "Contact"): "one's own entry",
    ("portal/directory/oncall/views/swaps.py", "CalendarFeed"): "one's own addresses",
    ("portal/dashboard/selectors/burning.py", "Message"): "what paged oneself, of incidents found by visible_to",
    ("portal/dashboard/selectors/burning.py", "Responder"): "one's own work, on incidents found by visible_to",
    ("incidents/selectors/listing.py", "Contact"): "one's own entry",
    ("incidents/selectors/listing.py", "Responder"): "one's own work, on incidents found by visible_to",
    ("incidents/selectors/listing.py", "Incident"): "rows by their ids, which visible_to has narrowed",
    (
        "incidents/selectors/room.py",
        "Incident",
    ): "the restricted record that somebody breaks the glass to: only its reference is shown",
    (
        "incidents/selectors/links.py",
        "Incident",
    ): "whoever holds the secret of a link may see its incident, signed in or not",
    ("portal/dashboard/selectors/status.py", "System"): "what the page's own permission opens, or visible_to",
    ("portal/dashboard/selectors/status.py", "Incident"): "the same, without what is restricted",
    ("portal/dashboard/selectors/status.py", "Note"): "what was told of incidents that visible_to has found",
    ("incidents/selectors/communications.py", "Message"): "the deliveries of one message that visible_to has found",
    ("incidents/selectors/drills.py", "Message"): "messages about drills that visible_to has found",
    ("incidents/selectors/people.py", "Message"): "who was paged for one incident that visible_to has found",
    ("incidents/selectors/people.py", "Responder"): "who works on one incident that visible_to has found",
    ("incidents/selectors/people.py", "Note"): "who wrote into one incident that visible_to has found",
    ("incidents/views/communications.py", "Incident"): "the lock of a record that was found by visible_to",
    ("incidents/views/declaring.py", "Incident"): "what one's own form has declared",
    (
        "portal/runbooks/checklists/selectors/finding.py",
        "Step",
    ): "whether a procedure that visible_to has found has steps",
    ("portal/assurance/selectors/engagements.py", "Engagement"): "one's own engagements, also those that are over",
    ("portal/assurance/selectors/engagements.py", "User"): "the names of those whom an auditor may ask",
    ("portal/assurance/selectors/review_items.py", "ReviewItem"): "items of one review that visible_to has found",
    ("portal/assurance/selectors/review_items.py", "Verdict"): "verdicts on items of such a review",
    ("portal/assurance/selectors/review_list.py", "ReviewItem"): "items of such reviews, and about one's own changes",
    ("portal/assurance/selectors/review_list.py", "Verdict"): "verdicts on such items",
    ("portal/assurance/selectors/review_room.py", "ReviewItem"): "items of one review that visible_to has found",
    ("portal/assurance/selectors/review_story.py", "ReviewItem"): "items of such a review, and about one's own change",
    ("portal/assurance/selectors/review_story.py", "Review"): "the review with one's own change in it",
    ("portal/assurance/selectors/review_story.py", "Verdict"): "verdicts on such items",
    ("portal/assurance/selectors/asof_roles.py", "User"): "versions that the trail which the reader may see tells of",
    ("portal/assurance/selectors/trail_figures.py", "Seal"): "the seal of a row that visible_to has found",
    ("portal/assurance/selectors/trail_figures.py", "SealBatch"): "how far the chain goes: figures without content",
    ("portal/assurance/selectors/trail_figures.py", "AnchorDelivery"): "when an anchor last left the machine",
    ("portal/assurance/selectors/retention.py", "Seal"): "where rows are sealed: they are shown as visible_to allows",
    ("portal/assurance/selectors/retention.py", "TombstonedRow"): "the tombstones over rows that visible_to has found",
    ("portal/records/evidence/selectors.py", "Seal"): "where events are sealed that visible_to has found",
    ("changes/views/acting.py", "Change"): "the lock of a record that was found by visible_to",
    ("changes/views/drafting.py", "Change"): "the lock of a record that was found by visible_to",
    ("changes/views/drafting.py", "Note"): "whether one's own form has acted already",
    ("maintenance/views/acting.py", "Plan"): "the lock of a record that was found by visible_to",
    ("maintenance/views/acting.py", "Note"): "whether one's own form has acted already",
    ("maintenance/views/windows.py", "Window"): "the lock of a record that was found by visible_to",
    ("maintenance/views/windows.py", "Note"): "whether one's own form has acted already",
    ("maintenance/selectors/due.py", "Contact"): "one's own entry",
    ("maintenance/selectors/due.py", "Team"): "one's own teams",
    ("maintenance/selectors/calendar.py", "Team"): "one's own teams",
    ("maintenance/selectors/calendar.py", "Occurrence"): "the dates of plans that visible_to has found",
    ("maintenance/selectors/due.py", "Plan"): "whose the occurrences are that visible_to has found",
    ("maintenance/exercises/views/acting.py", "Note"): "whether one's own form has acted already",
    ("portal/actions/selectors.py", "Contact"): "one's own entry",
    ("portal/actions/selectors.py", "Team"): "one's own teams",
    ("portal/actions/views.py", "ActionItem"): "the lock of a record that was found by visible_to",
    ("portal/actions/views.py", "Note"): "whether one's own form has acted already",
    ("incidents/admin/steps.py", "EscalationTarget"): "what the policy in the form names already",
}
MODULES = [
    path
    for part in PARTS
    for path in sorted((ROOT / part).rglob("*.py"))
    if path.stem in PAGES or set(PAGES) & set(path.relative_to(ROOT).parts[:-1])
]


def unnarrowed(tree):
    """Yield line and model of each query that does not begin with visible_to."""
    narrowed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in HARMLESS}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager", "history"}:
            if isinstance(node.value, ast.Name) and node.value.id in NARROWED and id(node) not in narrowed:
                yield node.lineno, node.value.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SHORTCUTS:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Name) and first.id in NARROWED:
                yield node.lineno, first.id


def test_the_rule_sees_what_it_should():
    found = "Team.objects.filter(x=1)\nget_object_or_404(Team, pk=1)\nTeam.objects.visible_to(u).filter(x=1)"
    assert sorted(unnarrowed(ast.parse(found))) == [(1, "Team"), (2, "Team")]
    assert MODULES
    assert {"Team", "Incident", "User"} <= NARROWED


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_queries_only_what_its_reader_may_see(path):
    name = str(path.relative_to(ROOT))
    wrong = [
        f"line {line}: {model}"
        for line, model in unnarrowed(ast.parse(path.read_text()))
        if (name, model) not in EXEMPT
    ]
    assert not wrong, f"{name}: begin with {{model}}.objects.visible_to(user): {'; '.join(wrong)}"


def test_no_exemption_is_left_over():
    for name, model in EXEMPT:
        tree = ast.parse((ROOT / name).read_text())
        assert model in {found for _, found in unnarrowed(tree)}, f"{name} no longer needs its exemption for {model}"
