"""One thing in many spellings, and things that only look alike."""

import pytest

from portal.runbooks.markdown.layout import arrange
from portal.runbooks.markdown.reading import read
from portal.runbooks.markdown.understanding import understand
from portal.runbooks.markdown.vocabulary import Place, Role, place_of


def understood(text):
    return understand(arrange(read(text)))


@pytest.mark.parametrize("text", [
    "# X\n\n## RTO\n\n4 hours\n",
    "# X\n\n## Recovery Time Objective (RTO)\n\n**4 h**\n",
    "# X\n\n- **RTO**: 4 h\n",
    "# X\n\nRTO: 4 hours\n",
    "# X\n\n**Recovery Time Objective (RTO):** 4 h\n",
    "# X\n\n| Tier | RTO | RPO |\n|---|---|---|\n| | 4 h | |\n",
    "# X\n\n| Objective | Target |\n|---|---|\n| RTO | 4 h |\n",
    "# X\n\n* RTO = 4 hours\n",
])  # fmt: skip
def test_an_objective_is_found_wherever_people_write_it(text):
    assert [(one.kind, one.minutes) for one in understood(text).objectives] == [(Role.RTO, 240)]


def test_objectives_by_tier_stay_apart():
    silver = "| Silver | 4h business-hours / 8h after-hours | 1 d |"
    table = f"| Tier | Target RTO | Target RPO |\n|---|---|---|\n| Gold | 1 h | 5 min |\n{silver}\n"
    found = [(one.tier, one.kind.value, one.minutes) for one in understood(f"# X\n\n{table}").objectives]
    assert found == [("Gold", "rto", 60), ("Gold", "rpo", 5), ("Silver", "rto", None), ("Silver", "rpo", 1440)]


@pytest.mark.parametrize(("title", "place"), [
    ("3.1 📞 On-call contacts (24/7):", Place.CONTACTS), ("Who to call", Place.CONTACTS), ("Overview", Place.PURPOSE),
    ("How to start the service", Place.STARTUP), ("Graceful shutdown", Place.SHUTDOWN), ("Backups", Place.BACKUP),
    ("Env vars", Place.VARIABLES), ("Useful links", Place.REFERENCES), ("Changelog", Place.HISTORY),
    ("Rollout", Place.DEPLOYMENT), ("Responding to Security Incidents", Place.SECURITY), ("Known issues", Place.ISSUES),
    ("Logs", Place.LOGS), ("Severity Levels", Place.SEVERITIES), ("Cheat sheet", Place.COMMANDS),
])  # fmt: skip
def test_titles_in_other_words(title, place):
    assert place_of(title) is place


@pytest.mark.parametrize("title", ["Architecture", "Lifecycle Stage", "Startling facts", "Stopwatch", "Logistics"])
def test_a_title_that_nobody_knows_is_not_guessed(title):
    assert place_of(title) is None


@pytest.mark.parametrize("text", [
    "1. one\n2. two\n", "1) one\n2) two\n", "1. one\n1. two\n", "   1. one\n   2. two\n", "> 1. one\n> 2. two\n",
    "1. one\n\n   more of it\n\n2. two\n", "1. one\n```\n3. no step\n```\n2. two\n", "Do this:\n1. one\n2. two\n",
    "- a\n  1. one\n  2. two\n",
])  # fmt: skip
def test_numbered_steps_as_people_write_them(text):
    assert understood(f"# X\n\n## Do it\n\n{text}").numbered == 2


@pytest.mark.parametrize("text", ["- [ ] a\n- [x] b\n", "* [ ] a\n+ [X] b\n", "☐ a\n☑ b\n", "1. [ ] a\n2. [ ] b\n"])
def test_boxes_as_people_draw_them(text):
    assert understood(f"# X\n\n## Do it\n\n{text}").checkboxes == 2


@pytest.mark.parametrize("text", [
    "| a | b |\n|---|---|\n| 1 | 2 |\n", "a | b\n--- | ---\n1 | 2\n", "| a | b |\n|:-:|--:|\n| 1 | 2 |\n",
    "- in a list\n\n  | a | b |\n  |---|---|\n  | 1 | 2 |\n", "> | a | b |\n> |---|---|\n> | 1 | 2 |\n",
])  # fmt: skip
def test_tables_as_people_draw_them(text):
    assert understood(f"# X\n\n## Do it\n\n{text}").tables == 1


@pytest.mark.parametrize("text", [
    "**Step 1: Stop it (0-5 min)**\n\n```bash\nstop\n```\n\n**Step 2: Start it**\n",
    "### Step 1: Stop it (0-5 min)\n\nWith care.\n\n### Step 2 - Start it\n",
])  # fmt: skip
def test_steps_that_are_called_so(text):
    procedure = understood(f"# X\n\n## Failover\n\n{text}").procedures[0]
    assert (procedure.title, [step.text for step in procedure.steps]) == ("Failover", ["Stop it (0-5 min)", "Start it"])


def test_underlined_headings_and_windows_line_ends():
    content = understood("Desk\n====\n\nRTO\n---\n\n4 h\n")
    assert (content.title, content.objectives[0].minutes) == ("Desk", 240)


def test_a_year_at_the_end_of_a_sentence_is_no_step():
    assert understood("# X\n\n## Do it\n\nIt was built in\n2019. It still runs.\n").numbered == 0


def test_an_alert_of_its_own_is_an_entry_of_the_guide():
    content = understood(
        "# DiskFull\n\n## Meaning\n\nFull.\n\n## Diagnosis\n\nLook at `df`.\n\n## Mitigation\n\n1. Clean up\n"
    )
    assert [issue.title for issue in content.issues] == ["DiskFull"]
    assert content.issues[0].said[Role.DIAGNOSIS] == "Look at `df`."
    assert [step.text for step in content.issues[0].steps] == ["Clean up"]


def test_commands_keep_their_comment_and_their_lines():
    code = "```bash\n# How it is\nstatus \\\n  --all\n$ restart\ncat <<EOF | apply\n# no comment\nEOF\n```\n"
    said = [(row["command"], row["description"]) for row in understood(f"# X\n\n{code}").commands]
    assert said == [
        ("status \\\n--all", "How it is"),
        ("restart", "How it is"),
        ("cat <<EOF | apply\n# no comment\nEOF", "How it is"),
    ]
