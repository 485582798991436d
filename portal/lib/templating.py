"""The template tags and filters of the portal's look, loaded as builtins. They know no model.

Every component stands in templates/components/; the classes are those of static/watchbook/css/style.css.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.http import QueryDict
from django.template import Context
from django.template.defaultfilters import linebreaksbr
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from portal.lib import times

register = template.Library()

# state of a clock: the word of its pill, the tone of the pill, the icon
CLOCK_STATES: dict[str, tuple[str, str, str]] = {
    "track": ("On track", "plain", "timer"),
    "risk": ("At risk", "amber", "triangle-alert"),
    "missed": ("Missed", "red", "octagon-alert"),
    "met": ("Met", "green", "circle-check"),
    "paused": ("Paused", "", "pause"),
    "cancelled": ("Cancelled", "", "circle-minus"),
    "skipped": ("Skipped", "", "circle-minus"),
}
TICKING = {"track", "risk"}


@cache
def _sprite() -> str:
    return static("watchbook/icons.svg")


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """One icon of the sprite. It is hidden from screen readers: a word always stands beside it."""
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f"icon {classes}".strip(),
        _sprite(),
        name,
    )


@register.filter
def initials(name: object) -> str:
    """At most two letters for an avatar: "Amara Okafor" is "AO"."""
    words = str(name).split()
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [str(name)[:2]]
    return "".join(letters).upper()


@register.filter
def duration(span: float | timedelta | None) -> str:
    """Seconds or a timedelta in words: "2 h 06 min". Nothing for None."""
    return "" if span is None else times.duration(span)


@register.filter
def stopwatch(span: float | timedelta | None) -> str:
    """Seconds or a timedelta in running figures: "38:12". Nothing for None."""
    return "" if span is None else times.stopwatch(span)


@register.filter(name="reltime")
def reltime_filter(moment: datetime | None, now: datetime | None = None) -> str | SafeString:
    """`{{ moment|reltime:now }}`: a <time> in relative words with the exact moment in its title."""
    return _time(moment, now or timezone.now())


@register.simple_tag(name="reltime", takes_context=True)
def reltime_tag(context: Context, moment: datetime | None, now: datetime | None = None) -> str | SafeString:
    """`{% reltime moment now %}`: as the filter; without `now` the page's own moment is taken."""
    return _time(moment, now or page_now(context))


@register.simple_tag(takes_context=True)
def distance(context: Context, moment: datetime | None, now: datetime | None = None) -> str | SafeString:
    """`{% distance moment %}`: "in 4 days", "28 days ago", for beside the date; the exact moment is in its title."""
    if moment is None:
        return ""
    return _time_element(moment, times.distance(moment, now or page_now(context)), "rel")


@register.simple_tag
def clocktime(moment: datetime | None) -> str | SafeString:
    """`{% clocktime moment %}`: the local hour and minute with the exact moment in its title."""
    if moment is None:
        return ""
    return _time_element(moment, times.clock(moment))


@register.simple_tag(takes_context=True)
def daytime(context: Context, moment: datetime | None, now: datetime | None = None) -> str | SafeString:
    """`{% daytime moment %}`: "Wed 18 Nov, 09:00" with the exact moment in its title."""
    if moment is None:
        return ""
    words = f"{times.day(moment, now or page_now(context))}, {times.clock(moment)}"
    return _time_element(moment, words)


@register.simple_tag(takes_context=True)
def fromto(context: Context, starts: datetime | None, ends: datetime | None) -> str | SafeString:
    """`{% fromto starts ends %}`: "Wed 18 Nov, 09:00 to 11:00", with the second day where it is another one."""
    if starts is None or ends is None:
        return daytime(context, starts or ends)
    same = timezone.localtime(starts).date() == timezone.localtime(ends).date()
    return format_html("{} to {}", daytime(context, starts), clocktime(ends) if same else daytime(context, ends))


@register.filter
def exact(moment: datetime | None) -> str:
    """The moment to the second with its zone, as plain words (mails, exports)."""
    return "" if moment is None else times.exact(moment)


def page_now(context: Context) -> datetime:
    """The moment that the whole page speaks of: `now` of the view, else the shell's, else the clock."""
    shell = context.get("shell")
    found = context.get("now") or getattr(shell, "now", None)
    return found if isinstance(found, datetime) else timezone.now()


def _time(moment: datetime | None, now: datetime) -> str | SafeString:
    if moment is None:
        return ""
    return _time_element(moment, times.relative(moment, now), "rel")


def _time_element(moment: datetime, words: str, classes: str = "") -> SafeString:
    marks = format_html(' class="{}"', classes) if classes else ""
    return format_html(
        '<time{} datetime="{}" title="{}">{}</time>', marks, moment.isoformat(), times.exact(moment), words
    )


@register.inclusion_tag("components/pill.html")
def pill(word: object, tone: str = "", icon: str = "") -> dict[str, object]:
    """One state of one fact: a word, an icon, a tone (red orange amber teal green blue violet plain, or none)."""
    return {"word": word, "tone": tone, "icon": icon}


@register.inclusion_tag("components/severity_pill.html")
def severity_pill(level: int, code: str = "") -> dict[str, object]:
    """A severity with its four bars. `level` 1 is the worst and loudest, 4 the quietest."""
    bars = min(max(int(level), 1), 4)
    return {"level": bars, "icon": f"sev{bars}", "code": code or f"SEV-{level}"}


@register.inclusion_tag("components/drill_mark.html")
def drill_mark(record: object) -> dict[str, object]:
    """The mark of an exercise beside whatever names one; nothing beside a real record."""
    return {"is_drill": bool(getattr(record, "is_drill", False))}


@register.inclusion_tag("components/clock_card.html")
def clock_card(clock: object, tag: str = "li") -> dict[str, object]:
    """A running or settled deadline of this record. See `clock_parts` for what the clock must tell."""
    return clock_parts(clock) | {"tag": tag}


@register.inclusion_tag("components/due_chip.html")
def due_chip(clock: object) -> dict[str, object]:
    """The same deadline in a row of a table. The clock may bring its own words as `chip`."""
    parts = clock_parts(clock)
    return parts | {"chip": _read(clock, "chip") or _chip_words(parts), "own_words": bool(_read(clock, "chip"))}


def clock_parts(clock: object) -> dict[str, Any]:
    """What the clock components read, from an object or a mapping.

    name; state (a key of CLOCK_STATES); value ("3:12") and unit ("left", "late" or nothing); note; percent of the time
    that is used (0 to 100, or None for no bar); due_at; explanation (sentences: why this deadline).
    """
    parts: dict[str, Any] = {
        key: _read(clock, key) for key in ("name", "state", "value", "unit", "note", "percent", "due_at")
    }
    state = parts["state"] if parts["state"] in CLOCK_STATES else "track"
    word, tone, symbol = CLOCK_STATES[state]
    ticking = state in TICKING and parts["due_at"] is not None
    return parts | {
        "state": state,
        "word": word,
        "tone": tone,
        "icon": symbol,
        "ticks_to": parts["due_at"].isoformat() if ticking else "",
        "explanation": _sentences(_read(clock, "explanation")),
    }


def _chip_words(parts: Mapping[str, Any]) -> str:
    name, value = parts["name"] or "", parts["value"] or ""
    words = {
        "track": f"{name} in",
        "risk": f"{name} in",
        "missed": f"{name} {value} late" if value else f"{name} missed",
        "met": f"{name} met",
        "paused": f"{name} paused",
        "cancelled": f"{name} cancelled",
    }[parts["state"]].strip()
    return words[:1].upper() + words[1:] if name else words


def _sentences(found: Any) -> list[str]:
    if not found:
        return []
    return [found] if isinstance(found, str) else [str(sentence) for sentence in found]


def _read(source: object, key: str) -> Any:
    found = source.get(key) if isinstance(source, Mapping) else getattr(source, key, None)
    return found() if callable(found) else found


@register.inclusion_tag("components/meter.html")
def meter(percent: float, tone: str = "", label: str = "", *, tall: bool = False) -> dict[str, object]:
    """A bar: `percent` of it is filled (0 to 100). With a label it is spoken, without one it only illustrates."""
    return {"percent": _bounded(percent), "tone": tone, "label": label, "tall": tall}


@register.filter
def bounded(percent: float | None) -> int:
    """A share as a whole number from 0 to 100."""
    return _bounded(percent or 0)


def _bounded(percent: float) -> int:
    return int(min(max(percent, 0), 100))


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, label: str = "", help: str = "") -> dict[str, object]:  # noqa: A002 - a template word
    """A form field with its label, its help and its errors. `label` and `help` replace the form's own."""
    return {
        "field": bound,
        "label": label or bound.label,
        "help": help or bound.help_text,
        "single_check": getattr(bound.field.widget, "input_type", "") == "checkbox" and not bound.use_fieldset,
        "optional": not bound.field.required,
    }


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context: Context, page: Page, noun: str = "", parameter: str = "page") -> dict[str, object]:
    """Earlier and later pages as links that keep the rest of the address. `noun`: what is counted, in the plural."""
    return {
        "page": page,
        "noun": noun,
        "previous": _page_address(context, parameter, page.previous_page_number()) if page.has_previous() else "",
        "next": _page_address(context, parameter, page.next_page_number()) if page.has_next() else "",
    }


def _page_address(context: Context, parameter: str, number: int) -> str:
    request = context.get("request")
    query = request.GET.copy() if request is not None else QueryDict(mutable=True)
    query[parameter] = str(number)
    return f"?{query.urlencode()}"


BOOLEAN_IMAGE = re.compile(r'<img src="[^"]*icon-(yes|no|unknown)[^"]*\.svg" alt="[^"]*">')
BOOLEAN_WORDS = {"yes": ("Yes", "check"), "no": ("No", "minus"), "unknown": ("Unknown", "circle-help")}


@register.filter
def yes_or_no(shown: Any) -> SafeString:
    """What Django's admin shows of a value, with words where it draws a coloured sign for true and false."""
    safe = conditional_escape(shown)
    return mark_safe(BOOLEAN_IMAGE.sub(_boolean_word, safe))  # noqa: S308 - escaped before, and only words are put in


def _boolean_word(found: re.Match[str]) -> str:
    word, symbol = BOOLEAN_WORDS[found.group(1)]
    return format_html(
        '<span class="cell cell--{}">{}{}</span>', "done" if word == "Yes" else "not", icon(symbol), word
    )


WEB_ADDRESS = re.compile(r"https?://[^\s<>\"'\u2018-\u201f]{1,1000}", re.IGNORECASE)
ENDS_A_SENTENCE = ".,:;!?)]}*"


@register.filter
def linked(words: object) -> SafeString:
    """Somebody's own words with their line breaks, in which each http and https address can be followed.

    Whatever the words are, nothing in them becomes HTML, and who is followed does not learn where from.
    """
    text = str(words)
    pieces: list[str] = []
    end = 0
    for found in WEB_ADDRESS.finditer(text):
        address = found.group().rstrip(ENDS_A_SENTENCE)
        if "(" in address and found.group()[len(address) :].startswith(")"):
            address += ")"
        pieces += [linebreaksbr(text[end : found.start()], autoescape=True), _link(address)]
        end = found.start() + len(address)
    pieces.append(linebreaksbr(text[end:], autoescape=True))
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _link(address: str) -> SafeString:
    return format_html('<a class="wrap-anywhere" href="{}" rel="noopener noreferrer nofollow">{}</a>', address, address)


@register.filter
def arranged(verbs: Iterable[Any] | None) -> dict[str, list[Any]]:
    """The verbs of a record as buttons: two beside the primary one, which is last; the others in a menu.

    What destroys stands in the menu, never beside the next thing to do.
    """
    found = list(verbs or [])
    primary = [verb for verb in found if verb.primary][:1]
    others = [verb for verb in found if verb not in primary]
    shown = [verb for verb in others if not verb.danger][: 2 if len(others) > 3 else 3]
    return {"shown": shown, "menu": [verb for verb in others if verb not in shown], "primary": primary}


@register.simple_tag
def admin_cell(cell: SafeString, headers: list[dict[str, Any]], index: int) -> SafeString:
    """A cell of an admin list, made ready to fold on a phone: with its role, and a <td> with its column's name.

    `cell` is the <td> or <th> that Django's admin has rendered and escaped.
    """
    rest = mark_safe(yes_or_no(cell)[3:])  # noqa: S308 - what is left of the cell that Django escaped
    if cell.startswith("<th"):
        return format_html('<th scope="row" role="rowheader"{}', rest)
    name = "" if "<" in str(headers[index]["text"]) else capfirst(headers[index]["text"])
    return format_html('<td role="cell" data-label="{}"{}', name, rest)
