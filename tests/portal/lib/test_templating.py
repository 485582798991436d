"""The components of the look: a word always, colour never alone, the exact moment beside each relative one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.contrib.staticfiles import finders
from django.core.paginator import Paginator
from django.template import Context, Template
from django.utils import timezone
from django.utils.safestring import mark_safe

from portal.lib import templating

NOW = datetime(2026, 11, 17, 14, 26, tzinfo=UTC)
RISK = {
    "name": "Stakeholders",
    "state": "risk",
    "value": "3:12",
    "unit": "left",
    "note": "Next update due 14:29",
    "percent": 90,
    "due_at": NOW + timedelta(minutes=3, seconds=12),
    "explanation": ["It started at 13:59.", "Updates are due every 30 min."],
}


@pytest.fixture(autouse=True)
def _london():
    with timezone.override(ZoneInfo("Europe/London")):
        yield


def render(source, **context):
    return Template(source).render(Context(context))


def test_the_filter_and_the_tag_give_the_relative_words_with_the_exact_moment_and_its_zone():
    moment = datetime(2026, 11, 17, 13, 48, 2, tzinfo=UTC)
    for source in ("{{ moment|reltime:now }}", "{% reltime moment now %}", "{% reltime moment %}"):
        assert render(source, moment=moment, now=NOW) == (
            '<time class="rel" datetime="2026-11-17T13:48:02+00:00" title="Tue 17 Nov 2026, 13:48:02 GMT">'
            "37 min ago</time>"
        )


def test_without_a_moment_there_are_no_words():
    assert render("{{ m|reltime:n }}{% reltime m %}{% clocktime m %}{{ m|exact }}{{ m|duration }}", m=None, n=NOW) == ""


def test_a_clock_time_keeps_the_exact_moment():
    shown = render("{% clocktime moment %}", moment=NOW)
    assert ">14:26</time>" in shown
    assert 'title="Tue 17 Nov 2026, 14:26:00 GMT"' in shown


def test_a_time_beyond_today_is_said_with_its_day():
    assert ">Thu 19 Nov, 22:00</time>" in render(
        "{% daytime m now %}", m=datetime(2026, 11, 19, 22, tzinfo=UTC), now=NOW
    )


def test_the_page_speaks_of_one_moment():
    shell = SimpleNamespace(now=NOW)
    assert "12 min ago" in render("{% reltime m %}", m=NOW - timedelta(minutes=12), shell=shell)


def test_an_icon_is_hidden_from_screen_readers():
    assert render('{% icon "siren" "icon--lg" %}') == (
        '<svg class="icon icon--lg" aria-hidden="true"><use href="/static/watchbook/icons.svg#siren"/></svg>'
    )


def test_every_icon_that_the_library_names_is_in_the_sprite():
    sprite = Path(finders.find("watchbook/icons.svg")).read_text()
    for _, _, name in templating.CLOCK_STATES.values():
        assert f'<symbol id="{name}"' in sprite


def test_a_pill_has_its_word_and_escapes_it():
    assert render("{% pill word tone='red' icon='bell' %}", word="<b>").count("&lt;b&gt;") == 1
    assert 'class="pill pill--red"' in render("{% pill 'Declared' tone='red' %}")


@pytest.mark.parametrize(("level", "bars"), [(1, 1), (4, 4), (9, 4), (0, 1)])
def test_a_severity_has_its_code_and_four_bars(level, bars):
    shown = render("{% severity_pill level code %}", level=level, code="SEV-X")
    assert f"#sev{bars}" in shown
    assert shown.strip().endswith("SEV-X</span>")


def test_a_clock_card_ticks_says_its_state_and_explains_itself():
    shown = render("{% clock_card clock %}", clock=RISK)
    assert '<li class="clock clock--risk">' in shown
    assert "At risk" in shown
    assert 'data-ticks-to="2026-11-17T14:29:12+00:00"' in shown
    assert '<rect class="m-fill" width="90"' in shown
    assert "Why this deadline" in shown
    assert "<li>Updates are due every 30 min.</li>" in shown


@pytest.mark.parametrize("state", ["missed", "met", "paused", "cancelled"])
def test_a_settled_clock_stands_still(state):
    assert "data-ticks-to" not in render("{% clock_card clock %}", clock=RISK | {"state": state})


def test_a_clock_may_be_an_object_with_methods():
    clock = SimpleNamespace(name="Response", state="met", value="4 min 08 s", explanation=lambda: "One sentence.")
    shown = render("{% clock_card clock %}", clock=clock)
    assert "4 min 08 s" in shown
    assert "<li>One sentence.</li>" in shown


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "Stakeholders in"),
        ({"state": "missed", "value": "4 min"}, "Stakeholders 4 min late"),
        ({"state": "met"}, "Stakeholders met"),
        ({"state": "paused", "chip": "Paused: vendor"}, "Paused: vendor"),
    ],
)
def test_a_due_chip_says_its_state_in_words(change, words):
    assert words in render("{% due_chip clock %}", clock=RISK | change)


@pytest.mark.parametrize(("given", "width"), [(-5, 0), (40.7, 40), (180, 100)])
def test_a_meter_stays_within_its_track(given, width):
    assert f'class="m-fill" width="{width}"' in render("{% meter given %}", given=given)


class Declaration(forms.Form):
    title = forms.CharField(label="What is wrong", help_text="One sentence.")
    system = forms.CharField(error_messages={"required": "Choose the system that suffers."}, required=True)
    urgent = forms.BooleanField(label="Page at once", required=False)


def test_a_field_ties_label_help_and_error_to_its_control():
    form = Declaration({"title": "Down"})
    title, system = (render("{% field f %}", f=form[name]) for name in ("title", "system"))
    assert '<label for="id_title">What is wrong</label>' in title
    assert 'aria-describedby="id_title_helptext"' in title
    assert 'id="id_title_helptext">One sentence.' in title
    assert 'class="field field--bad"' in system
    assert 'aria-invalid="true"' in system
    assert 'id="id_system_error"' in system
    assert "Choose the system that suffers." in system


def test_a_single_box_stands_inside_its_label():
    assert '<label class="check" for="id_urgent"><input type="checkbox"' in render(
        "{% field f %}", f=Declaration()["urgent"]
    )


def test_the_pager_keeps_the_rest_of_the_address(rf):
    page = Paginator(range(100), 10).page(3)
    shown = render("{% pager page 'incidents' %}", page=page, request=rf.get("/incidents/?state=open&page=3"))
    assert "21 to 30 of 100 incidents" in shown
    assert 'href="?state=open&amp;page=2"' in shown
    assert 'href="?state=open&amp;page=4"' in shown


@pytest.mark.parametrize(
    ("name", "letters"), [("Amara Okafor", "AO"), ("Ana Maria de Souza", "AS"), ("Alertmanager", "AL"), ("", "")]
)
def test_an_avatar_has_two_letters(name, letters):
    assert render("{{ name|initials }}", name=name) == letters


def test_a_cell_of_an_admin_list_gets_its_role_and_the_name_of_its_column():
    headers = [{"text": mark_safe("<input>")}, {"text": "last updated"}]
    cell = mark_safe('<td class="field-x">12</td>')
    assert (
        templating.admin_cell(cell, headers, 1) == '<td role="cell" data-label="Last updated" class="field-x">12</td>'
    )
    assert templating.admin_cell(cell, headers, 0) == '<td role="cell" data-label="" class="field-x">12</td>'
    first = mark_safe('<th class="field-name"><a href="/x/">Mail</a></th>')
    assert templating.admin_cell(first, headers, 1).startswith('<th scope="row" role="rowheader" class="field-name">')


def test_true_and_false_are_said_in_words():
    image = mark_safe('<img src="/static/admin/img/icon-no.abc123.svg" alt="False">')
    assert "</svg>No</span>" in templating.yes_or_no(image)
    assert templating.yes_or_no("<b>") == "&lt;b&gt;"


def verb(label, *, primary=False, danger=False):
    return SimpleNamespace(label=label, primary=primary, danger=danger)


def test_many_verbs_fold_into_a_menu_and_the_primary_one_stands_last():
    verbs = [verb("Resolve", primary=True), verb("Cancel", danger=True), *map(verb, ("Page", "Update", "Escalate"))]
    found = {place: [each.label for each in each_of] for place, each_of in templating.arranged(verbs).items()}
    assert found == {"shown": ["Page", "Update"], "menu": ["Cancel", "Escalate"], "primary": ["Resolve"]}
    assert templating.arranged(None) == {"shown": [], "menu": [], "primary": []}


def test_addresses_in_somebodys_words_can_be_followed_and_nothing_else_becomes_html():
    shown = templating.linked("See https://g.example.org/d/1?a=1&b=2.\n<script>alert(1)</script> javascript:alert(1)")
    assert 'href="https://g.example.org/d/1?a=1&amp;b=2"' in shown
    assert 'rel="noopener noreferrer nofollow"' in shown
    assert "</a>.<br>&lt;script&gt;" in shown
    assert shown.count("<a ") == 1


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("(http://p:9090/graph)", "http://p:9090/graph"),
        ("https://wiki.example.org/Disk_(full)", "https://wiki.example.org/Disk_(full)"),
        ("“https://a.example.org”", "https://a.example.org"),
        ('https://a.example.org/"onmouseover="x', "https://a.example.org/"),
    ],
)
def test_an_address_ends_where_its_sentence_goes_on(words, address):
    assert f'href="{address}"' in templating.linked(words)
