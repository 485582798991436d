"""Whatever people write is read, kept and written the same again: asked with texts that nobody thought of."""

import re
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.runbooks.markdown.layout import arrange, canonical, write
from portal.runbooks.markdown.linking import Known
from portal.runbooks.markdown.reading import read
from portal.runbooks.markdown.repairing import decoded, repaired
from portal.runbooks.markdown.reporting import read_file
from portal.runbooks.markdown.vocabulary import Role

PIECES = st.sampled_from([
    "## System Information", "- **Owner**:", "    $ indented", "| Role | Name | Contact | Backup |", "4 h", "none",
    "| Primary Owner | Ann | in the contact sheet | Ben |", "## Emergency Contacts", "## System Status Dashboard",
    "# Title", "## Purpose", "## 📞 On-call contacts:", "### RTO", "#### Issue: it fails", "# ====",
    "## Steps ##", "##", "Heading", "===", "---", "1. first", "2) second", "   3. third", "- [ ] check",
    "- [x] done", "☐ box", "• point", "* star", "> quote", "> 1. quoted", "```", "```bash", "~~~", "    code",
    "| a | b |", "|---|---|", "| 1 | 2 |", "| 1", "**Steps**:", "**Symptoms:** slow", "- **Owner**: Ann",
    "<!-- open", "-->", "<details>", "Objective: none", "", "", "# 1. Restore", "StepActionOwner",
    "1 Do it. ops", "2 Do it. ops", "3 Do it. ops", "Plain words.", "###### deep", "2026. A year",
    "## Diagnosis", "## Mitigation", "## Severity Levels", "## Appendix", "# Standard Operating Procedures",
    "| Variable | Required | Default | Description |", "- 1. both", "\t1. tab", "[ ] bare", "- ```",
    "| [ ] | Read | ops |", "| ☐ | x |", "<table><tr><td>a</td></tr></table>", "h2. Wiki", "1) [ ] both", "+ plus",
    "[ref]: https://example.org", "***", "## Shutdown Procedure", "### Drain", "---\nowner: ops\n---", "  - two",
    "1. ```sh", "\u0000", "â‰¥",
])  # fmt: skip
KNOWN = Known(
    facts={Role.SYSTEM_NAME: "Desk", Role.OWNER: "Ann"},
    contacts={"primary owner": ("Ann", "Ben"), "vendor contact": ("Vic", "")},
    rto=240,
    rpo=0,
    dashboard="https://dash.example.org",
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=25).map("\n".join)


def words(text):
    return Counter(re.findall(r"[^\W_]+", text))


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_and_kept(text):
    mended, _ = repaired(text)
    missing = words(mended) - words(canonical(mended).replace("\\|", "|"))
    # A heading in the template's words is written as the template does; glued words of a header are parted.
    left = {word for word in missing if word.lower() not in canonical(mended).lower()} - {"StepActionOwner"}
    assert not left


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_what_was_written_once_is_written_the_same_again(text):
    once = canonical(repaired(text)[0])
    assert write(arrange(read(once))) == once


@given(TEXTS, st.booleans())
@settings(max_examples=200, deadline=None)
def test_reading_what_was_handed_out_changes_nothing(text, full):
    known = KNOWN if full else Known()
    once = read_file("a.md", text.encode("utf-8", "replace"), known)
    again = read_file("a.md", once.written.encode(), known)
    assert (again.text, again.written) == (once.text, once.written)


@given(st.binary(max_size=200))
def test_any_file_is_read(content):
    once = canonical(repaired(decoded(content))[0])
    assert write(arrange(read(once))) == once


@given(st.one_of(TEXTS.map(str.encode), st.binary(max_size=300)))
@settings(max_examples=200, deadline=None)
def test_every_file_has_its_report_and_nothing_is_counted_that_is_not_there(content):
    report = read_file("a.md", content).report()
    assert report["characters"]["kept"] == report["characters"]["read"]
    for kind in ("tables", "checkboxes", "numbered_steps"):
        assert 0.95 * report[kind]["found"] <= report[kind]["structured"]
