"""What a text says in prose is kept by section, and what becomes a row of its own is not said twice."""

from portal.runbooks.markdown.layout import arrange, canonical
from portal.runbooks.markdown.passages import passages_of
from portal.runbooks.markdown.reading import read
from portal.runbooks.markdown.understanding import understand
from tests.factories.runbooks import TEXT

PROSE = """
## Who may restart

- The **duty manager** agrees first.

| Team | Pager |
|------|-------|
| Desk | 4711 |

## How to stop the desk

Pull the plug.

### Afterwards

Say so.
"""


def of(text):
    layout = arrange(read(canonical(text)))
    return {one.title: one for one in passages_of(layout, understand(layout))}


def test_prose_lists_and_tables_are_kept_without_their_signs():
    found = of(TEXT + PROSE)
    assert found["Purpose"].text == "How the ticket desk is run."
    assert found["Who may restart"].text == "The duty manager agrees first.\nTeam · Pager\nDesk · 4711"


def test_what_is_a_row_of_its_own_is_left_out():
    found = of(TEXT)
    for title in ("Startup Procedure", "Rotate the signing key", "Issue: Mails are not sent", "Environment Variables"):
        assert found[title].text == "", title
    assert found["Rotate the signing key"].entry
    assert not found["Purpose"].entry


def test_what_tells_how_to_shut_down_is_marked_with_all_that_stands_under_it():
    found = of(TEXT + PROSE)
    assert {title for title, one in found.items() if one.shuts_down and one.text} == {
        "How to stop the desk",
        "Afterwards",
    }
    assert found["Afterwards"].above[-1] == "How to stop the desk"
