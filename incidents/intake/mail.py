"""A mail as an alert: its subject is the title, a key in brackets, its thread or its subject tells it from others."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from html import unescape

from incidents.enums import Stance
from incidents.intake import reading
from incidents.intake.report import Report

KEY_HEADER, SEVERITY_HEADER, SYSTEM_HEADER = "X-Watchbook-Key", "X-Watchbook-Severity", "X-Watchbook-System"
RESOLVED = "resolved resolve ok recovery recovered up closed clear cleared fixed"
FIRING = "problem critical alert alarm down firing failed failure error warning triggered unknown unreachable"
WORDS: Mapping[str, str] = {
    **dict.fromkeys(FIRING.split(), Stance.FIRING),
    **dict.fromkeys(RESOLVED.split(), Stance.RESOLVED),
    **dict.fromkeys(("acknowledged", "acknowledgement"), Stance.ACKNOWLEDGED),
}
INTAKE_HEADER = "X-Watchbook-Intake"
MOST_IDS = 20
_PREFIX = re.compile(r"^\s*((re|fwd?|aw|wg|tr|sv)\s*:\s*)+", re.IGNORECASE)
_KEY = re.compile(r"\[(?:key[:=]\s*)?([^\[\]]{3,120})\]", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")
_SPAN = re.compile(r"\b(in|after|for)\s+(\d+\s*[a-z]+\s*)+:", re.IGNORECASE)  # "Resolved in 5m 3s: the disk is full"
_TOKEN = re.compile(r"[a-z-]+")
_ID = re.compile(r"<[^<>\s]{1,250}>")
_TAG = re.compile(r"<(?P<closes>/?)(?P<name>[A-Za-z!?][A-Za-z0-9]*)[^<>]*>")
_ADDRESS = re.compile(r"\bhref\s*=\s*[\"']?(https?://[^\s\"'<>]{1,1000})", re.IGNORECASE)
_BLANK = re.compile(r"\s+")
_HIDDEN = {"script", "style", "title"}
_BREAKS = {"br", "p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4", "h5", "h6"}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as far as it matters: `thread` are the ids that it answers, oldest first."""

    subject: str
    sender: str
    message_id: str
    thread: tuple[str, ...]
    text: str
    headers: Mapping[str, str]


def read(body: bytes) -> Mail:
    """Return a mail; reading.Unreadable is raised for what is none."""
    message = email.message_from_bytes(body, policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise reading.Unreadable(400, "This is no mail: it has no headers.")
    thread = _ID.findall(f"{_header(message, 'References')} {_header(message, 'In-Reply-To')}")
    own = _ID.findall(_header(message, "Message-ID"))
    names = (KEY_HEADER, SEVERITY_HEADER, SYSTEM_HEADER, "Auto-Submitted", "Precedence", INTAKE_HEADER)
    return Mail(
        subject=reading.line(_header(message, "Subject"), reading.LABEL_LIMIT),
        sender=reading.line(parseaddr(_header(message, "From"))[1], 320),
        message_id=own[0] if own else "",
        thread=tuple(dict.fromkeys(thread))[:MOST_IDS],
        text=_text(message),
        headers={name: reading.line(_header(message, name), 300) for name in names},
    )


def report_of(mail: Mail, words: Mapping[str, str], *, thread_key: str = "") -> Report:
    """Return what the mail says. `words` mean states, in lower case; `thread_key` is that of the mail it answers."""
    stance, core = _stance(mail.subject, {**WORDS, **words})
    named = mail.headers[KEY_HEADER] or _named(mail.subject)
    key = reading.line(named, 200) or thread_key or f"subject:{core.casefold()}"
    if key == "subject:":
        reading.refuse("The mail has no subject. Say in it what hurts.")
    labels = {
        "from": mail.sender,
        "message_id": mail.message_id,
        "severity": reading.line(mail.headers[SEVERITY_HEADER], reading.LABEL_LIMIT),
        "system": reading.line(mail.headers[SYSTEM_HEADER], reading.LABEL_LIMIT),
        "subject": mail.subject,
    }
    labels = {name: value for name, value in labels.items() if value}
    sets = {name: value for name, value in labels.items() if name != "message_id"}
    firing = stance == Stance.FIRING
    return Report(
        key=key,
        firing=firing,
        title=reading.line(_PREFIX.sub("", mail.subject).strip("* ")) or reading.line(key),
        description=reading.text(mail.text),
        labels=labels,
        label_sets=(sets,),
        firing_count=int(firing),
        resolved_count=int(stance == Stance.RESOLVED),
        instead="" if stance in {Stance.FIRING, Stance.RESOLVED} else stance,
        sentence="Its subject asks for nothing, so nothing changed." if stance == Stance.NOTHING else "",
    )


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, "") or "")
    except (ValueError, LookupError, IndexError, AttributeError):  # headers that the library itself stumbles over
        return ""


def _named(subject: str) -> str:
    """Return the key in brackets, unless what stands in them is a word for a state."""
    found = (match[1].strip() for match in _KEY.finditer(subject))
    return next((key for key in found if key.casefold() not in WORDS and ":" not in key[-1:]), "")


def _stance(subject: str, words: Mapping[str, str]) -> tuple[str, str]:
    """Return what the subject says of its alert, and the subject without the words that said it.

    The first word that means a state counts, after an arrow the first one behind it. A word of another meaning in
    everyday English counts in capitals, in brackets or at the beginning alone.
    """
    core = _PREFIX.sub("", subject)
    said = re.split(r"->|→|=>", core)[-1]
    found = [match for match in _WORD.finditer(said) if _counts(said, match, words)]
    stance = words[found[0][0].casefold()] if found else Stance.FIRING
    bare = _WORD.sub(lambda match: "" if _counts(core, match, words) else match[0], _SPAN.sub(":", core))
    return stance, re.sub(r"[\W_]+", " ", bare).strip()


def _counts(text: str, match: re.Match[str], words: Mapping[str, str]) -> bool:
    word = match[0]
    if word.casefold() not in words:
        return False
    begins = not re.search(r"\w", text[: match.start()])
    enclosed = text[: match.start()].endswith(("[", "(")) and text[match.end() :].startswith(("]", ")"))
    return (word.isupper() and len(word) > 1) or begins or enclosed


def _text(message: EmailMessage) -> str:
    """Return the words of a mail: its plain part, else its HTML without the marks."""
    try:
        part = message.get_body(preferencelist=("plain", "html"))
    except (LookupError, ValueError, AttributeError, TypeError):
        return ""
    content = _content(part) if isinstance(part, EmailMessage) else ""
    if isinstance(part, EmailMessage) and part.get_content_subtype() == "html":
        content = _plain(content)
    return reading.text(content)


def _content(part: EmailMessage) -> str:
    """Return the words of a part; those in an unknown character set as far as they can be read."""
    try:
        content = part.get_content()
    except (LookupError, ValueError, AttributeError, TypeError):
        content = _raw(part).decode(errors="replace")
    return content if isinstance(content, str) else ""


def _raw(part: EmailMessage) -> bytes:
    try:
        found = part.get_payload(decode=True)
    except (LookupError, ValueError, AttributeError, TypeError):
        return b""
    return found if isinstance(found, bytes) else b""


def _plain(html: str) -> str:
    """Return HTML as lines of words, the address of each link behind its words; in one pass, however long it is."""
    pieces: list[str] = []
    hidden, address, end = "", "", 0
    for tag in _TAG.finditer(html):
        if not hidden:
            pieces.append(_BLANK.sub(" ", html[end : tag.start()]))
        end = tag.end()
        closes, name = bool(tag["closes"]), tag["name"].casefold()
        if hidden or name in _HIDDEN:
            hidden = "" if closes and name == (hidden or name) else hidden or name
        elif name == "a":
            pieces.append(f" {address} ")
            found = _ADDRESS.search(tag[0])
            address = found[1] if found and not closes else ""
        else:
            pieces.append("\n" if name in _BREAKS else " ")
    if not hidden:
        pieces.append(_BLANK.sub(" ", html[end:]))
    lines = [" ".join(line.split()) for line in unescape("".join([*pieces, f" {address}"])).split("\n")]
    return "\n".join(line for line in lines if line)


def loop_of(mail: Mail, envelope_sender: str, own: Iterable[str]) -> str:
    """Return why a mail is refused as an answer of a machine to a machine; "" for one that is taken in."""
    automatic = (_TOKEN.match(mail.headers["Auto-Submitted"].casefold()) or [""])[0]
    precedence = mail.headers["Precedence"].strip().casefold()
    if not envelope_sender:
        return "A bounce opens no incident."
    if mail.sender.casefold() in {address.casefold() for address in own}:
        return "A mail of this portal opens no incident in it."
    if automatic in {"auto-replied", "auto-notified"}:
        return "An automatic reply opens no incident."
    if precedence in {"auto_reply", "list", "junk"} or (precedence == "bulk" and automatic != "auto-generated"):
        return "A mail of a list or an automatic reply opens no incident."
    return ""
