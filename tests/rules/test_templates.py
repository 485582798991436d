"""What no template may hold: the strict content security policy and the escaping rest on it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("templates", "portal", "incidents", "changes", "maintenance")
TEMPLATES = sorted(
    path for folder in FOLDERS for path in (ROOT / folder).rglob("*.html") if "/static/" not in path.as_posix()
)
# Read outside the portal and its policy, by mail programs or from a packet's files: their style must stand in them.
OUTSIDE = {ROOT / "templates" / "notify" / "mail.html", ROOT / "templates" / "assurance" / "packet" / "record.html"}
SPRITE = ROOT / "portal" / "dashboard" / "static" / "watchbook" / "icons.svg"

FORBIDDEN = {
    "a style attribute": re.compile(r"""<[^>]*\sstyle\s*=""", re.IGNORECASE),
    "an event handler": re.compile(r"""<[^>]*\son[a-z]+\s*=""", re.IGNORECASE),
    "an address that runs script": re.compile(r"""(href|src|action)\s*=\s*["']?\s*javascript:""", re.IGNORECASE),
    "the safe filter": re.compile(r"\|\s*(safe|safeseq)\b"),
    "switched-off escaping": re.compile(r"{%\s*autoescape\s+off"),
    "something from another host": re.compile(
        r"""<(link|script|img|iframe|source)\b[^>]*(src|href)\s*=\s*["'](https?:)?//""", re.IGNORECASE
    ),
    "htmx that evaluates": re.compile(r"""hx-(on|vals\s*=\s*["']js:|vars)"""),
}
INLINE_SCRIPT = re.compile(r"<script\b(?![^>]*\bsrc=)(?![^>]*nonce=)(?![^>]*type=.application/json)", re.IGNORECASE)


# The secret in the address is the token, and the page is opened without a session.
WITHOUT_TOKEN = {"templates/incidents/acknowledge.html"}


def named(path):
    return path.relative_to(ROOT).as_posix()


def offenders(pattern, paths=TEMPLATES):
    found = ((path, pattern.search(path.read_text())) for path in paths)
    return [f"{named(path)}: {match.group()[:80]}" for path, match in found if match]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_holds(what):
    assert offenders(FORBIDDEN[what]) == []


def test_script_and_style_stand_in_files_of_their_own():
    pages = [path for path in TEMPLATES if path not in OUTSIDE]
    assert offenders(INLINE_SCRIPT, pages) == []
    assert offenders(re.compile("<style"), pages) == []


def test_every_icon_that_a_template_names_is_in_the_sprite():
    drawn = set(re.findall(r'<symbol id="([a-z0-9-]+)"', SPRITE.read_text()))
    for path in TEMPLATES:
        named_icons = set(re.findall(r"""{%\s*icon\s+["']([a-z0-9-]+)["']""", path.read_text()))
        assert named_icons <= drawn, f"{named(path)} names icons that are not in icons.svg: {named_icons - drawn}"


def test_every_form_that_posts_carries_its_token():
    for path in TEMPLATES:
        for form in re.findall(r"<form\b.*?</form>", path.read_text(), re.DOTALL | re.IGNORECASE):
            if re.search(r"""method\s*=\s*["']?post""", form, re.IGNORECASE) and named(path) not in WITHOUT_TOKEN:
                assert "{% csrf_token %}" in form, f"{named(path)} posts a form without its token"


def test_the_sprite_and_the_font_have_their_licences():
    assert "ISC License" in SPRITE.with_name("icons.LICENSE.txt").read_text()
    assert "SIL OPEN FONT LICENSE" in (SPRITE.parent / "fonts" / "inter.OFL.txt").read_text()


def test_whatever_shows_the_severity_of_an_incident_marks_a_drill_too():
    shown = re.compile(r"{% severity_pill ((?:\w+\.)?incident)\.severity\.level [\w.]+ %}(?!{% drill_mark \1 %})")
    assert offenders(shown) == []


def test_every_icon_that_code_names_stands_in_the_sprite():
    known = set(re.findall(r'id="([a-z0-9-]+)"', SPRITE.read_text()))
    code = [path for folder in FOLDERS[1:] for path in (ROOT / folder).rglob("*.py")]
    used = {(named(path), name) for path in code for name in re.findall(r'\bicon="([a-z0-9-]+)"', path.read_text())}
    assert {(path, name) for path, name in used if name not in known} == set()
