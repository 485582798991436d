"""Reads settings from the environment, and stops the start with one sentence when a value cannot be used."""

import os
import re
import secrets
from collections.abc import Callable, Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

T = TypeVar("T")
SECRET_KEY_LENGTH = 50
PARTS = ("evidence", "logs", "mail", "static")
HOST = re.compile(r"\*|[a-z0-9.-]+|\[[a-f0-9]*:[a-f0-9.:]+\]", re.IGNORECASE)
TWILIO = re.compile(r"twilio://AC[0-9a-fA-F]{32}:[0-9A-Za-z]{16,64}@(?:\+[1-9][0-9]{6,14}|[0-9]{5,6})")
# Commands of manage.py that need the owner of the tables.
OWNERS_WORK = (
    *(("migrate",), ("audit", "install-guards"), ("audit", "grant"), ("audit", "tombstone", "confirm")),
    ("search", "rebuild"),
)
SQLITE_START = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"


class SettingsProblem(SystemExit):
    """A setting that cannot be used. It ends the process with its sentence, without a traceback."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"Watchbook did not start: {sentence}")


def read_env_file(default: Path) -> None:
    """Take NAME=value lines from PORTAL_ENV_FILE (else from `default` if it exists); the environment itself wins."""
    named = os.environ.get("PORTAL_ENV_FILE")
    path = default if named is None else Path(named)
    if path.is_file():
        environ.Env.read_env(path)
    elif named:
        raise SettingsProblem(
            f"PORTAL_ENV_FILE names {path}, which does not exist. Create that file or unset PORTAL_ENV_FILE."
        )


def read(name: str, default: T, convert: Callable[[str], T], *, expected: str) -> T:
    """Return the variable through `convert`, or `default` when it is unset or empty.

    `expected` completes the sentence "NAME must be ..." that stops the start when `convert` raises.
    """
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        return convert(raw)
    except (ValueError, TypeError, KeyError, OSError, ValidationError, environ.ImproperlyConfigured) as problem:
        raise SettingsProblem(
            f"{name} must be {expected}. Correct it in the environment or in .env (see .env.example)."
        ) from problem


def number(name: str, default: int, *, least: int, most: int) -> int:
    """Return a whole number between `least` and `most`, both allowed."""

    def convert(raw: str) -> int:
        value = int(raw)
        if not least <= value <= most:
            raise ValueError(value)
        return value

    return read(name, default, convert, expected=f"a whole number from {least} to {most}")


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return one of the `allowed` words."""

    def convert(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(raw)
        return raw

    return read(name, default, convert, expected=f"one of {', '.join(allowed)}")


def host_names(name: str) -> list[str]:
    """Return host names as Django's ALLOWED_HOSTS takes them, without ports; empty entries are left out."""

    def convert(raw: str) -> list[str]:
        found = [word.strip() for word in raw.split(",") if word.strip()]
        if not all(HOST.fullmatch(word) for word in found):
            raise ValueError(raw)
        return found

    expected = "host names separated by commas, such as watchbook.internal,10.0.0.7, without ports"
    return read(name, [], convert, expected=expected)


def web_address(name: str, default: str) -> SplitResult:
    """Return an http or https address with a host and without path, query or user."""

    def convert(raw: str) -> SplitResult:
        url = urlsplit(raw.rstrip("/"))
        plain = url.scheme in {"http", "https"} and url.hostname and not (url.path or url.query or url.username)
        if not plain or url.port == 0:
            raise ValueError(raw)
        return url

    expected = "an address such as https://watchbook.example.org, without a path"
    return read(name, urlsplit(default), convert, expected=expected)


def endpoint(name: str, schemes: tuple[str, ...], *, expected: str) -> str:
    """Return an address whose scheme is one of `schemes`, or "" when the variable is unset."""

    def convert(raw: str) -> str:
        url = urlsplit(raw)
        if url.scheme not in schemes or url.port == 0 or not (url.hostname or url.path):
            raise ValueError(raw)
        return raw

    return read(name, "", convert, expected=expected)


def listening(name: str) -> str:
    """Return an address to listen on, as host:port, or "" when the variable is unset."""

    def convert(raw: str) -> str:
        url = urlsplit(f"//{raw}")
        if not url.hostname or not url.port or url.path or url.username:
            raise ValueError(raw)
        return raw

    return read(name, "", convert, expected="a host and a port, such as 127.0.0.1:2525")


def time_zone(name: str, default: str) -> str:
    """Return the name of a time zone that exists."""
    return read(name, default, lambda raw: ZoneInfo(raw).key, expected="a time zone such as Europe/London or UTC")


def mail_address(name: str, default: str) -> str:
    """Return a mail address, with or without a name before it."""

    def convert(raw: str) -> str:
        validate_email(parseaddr(raw)[1])
        return raw

    return read(name, default, convert, expected="a mail address such as watchbook@example.org")


def twilio_account(name: str) -> str:
    """Return the Twilio account that text messages and calls go out by, with the number that they come from."""

    def convert(raw: str) -> str:
        if not TWILIO.fullmatch(raw):
            raise ValueError
        return raw

    return read(name, "", convert, expected="a Twilio account and its number, as in twilio://ACsid:token@+14155550100")


def data_folder(root: Path) -> Path:
    """Return the data folder, made when absent; a relative PORTAL_DATA stands in the checkout."""
    folder = root / (os.environ.get("PORTAL_DATA", "").strip() or "var")
    try:
        for part in (folder, *(folder / name for name in PARTS)):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise SettingsProblem(
            f"the data folder {folder} cannot be made ({problem.strerror}). Set PORTAL_DATA or --data to a folder "
            "that you may write to."
        ) from problem
    return folder


def secret_key(folder: Path) -> str:
    """Return SECRET_KEY, else the key kept in the data folder, made on the first start."""
    key = os.environ.get("SECRET_KEY", "").strip()
    if key:
        if len(key) < SECRET_KEY_LENGTH or len(set(key)) < 5:
            raise SettingsProblem(
                f"SECRET_KEY must be at least {SECRET_KEY_LENGTH} random characters. Take the output of: "
                'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
            )
        return key
    path = folder / "secret-key"
    key = kept_secret(path, lambda: secrets.token_urlsafe(48))
    if len(key) < SECRET_KEY_LENGTH:
        raise SettingsProblem(
            f"{path} holds no usable key. Delete that file; everybody then signs in again, and apps for second factors "
            "are set up anew."
        )
    return key


def older_keys(name: str) -> list[str]:
    """Return keys that were SECRET_KEY before: what they signed or encrypted is still read."""

    def convert(raw: str) -> list[str]:
        found = [word.strip() for word in raw.split(",") if word.strip()]
        if any(len(key) < SECRET_KEY_LENGTH for key in found):
            raise ValueError(name)
        return found

    nothing: list[str] = []
    return read(name, nothing, convert, expected="earlier values of SECRET_KEY, separated by commas")


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Read the secret at `path`, made on the first start. Two of them at once agree: the loser of the link reads."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def runtime_role() -> str:
    """Return the role of DATABASE_URL, "" on SQLite or where the address names none."""
    return str(_postgresql("DATABASE_URL").get("USER", ""))


def has_owner_apart() -> bool:
    """Return whether MIGRATION_DATABASE_URL names an owner of the tables beside the role of the running portal."""
    return bool(_postgresql("MIGRATION_DATABASE_URL"))


def _postgresql(name: str) -> dict[str, Any]:
    """Return Django's settings for the PostgreSQL address in this variable, nothing when it is unset."""

    def convert(raw: str) -> dict[str, Any]:
        if urlsplit(raw).scheme not in {"postgres", "postgresql"}:
            raise ValueError("not PostgreSQL")
        found = dict(environ.Env.db_url_config(raw))
        if not found["NAME"]:
            raise ValueError("no database named")
        return found

    nothing: dict[str, Any] = {}
    expected = "an address such as postgres://user:password@host:5432/watchbook"
    return read(name, nothing, convert, expected=expected)


def does_owners_work(argv: Sequence[str]) -> bool:
    """Return whether the command of `argv` makes tables, guards or grants, or removes words, so that it is the owner's.

    Only manage.py's own commands do; whatever calls one of them within another process stays who it is.
    """
    program, words = Path(argv[0] if argv else "").name, tuple(argv[1:])
    return program in {"manage.py", "django-admin"} and any(words[: len(work)] == work for work in OWNERS_WORK)


def database(folder: Path, *, as_owner: bool = False) -> dict[str, Any]:
    """Return Django's settings of the database: PostgreSQL by DATABASE_URL, else SQLite in the data folder.

    `as_owner` takes MIGRATION_DATABASE_URL in its place where it is set. It must name the same database.
    """
    found, owner = _postgresql("DATABASE_URL"), _postgresql("MIGRATION_DATABASE_URL")
    if owner and owner["NAME"] != found.get("NAME"):
        raise SettingsProblem(
            "MIGRATION_DATABASE_URL must name the same database as DATABASE_URL. Correct one of them."
        )
    if owner and not found.get("USER"):
        raise SettingsProblem("DATABASE_URL must name its role, because MIGRATION_DATABASE_URL names another one.")
    if not found:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": folder / "watchbook.sqlite3",
            "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": SQLITE_START},
        }
    if as_owner and owner:
        found = owner
    # No statement of the portal gains by being compiled first; the long ones of the trail would lose a second by it.
    plain = {"connect_timeout": 5, "application_name": "watchbook", "options": "-c jit=off"}
    options = {**plain, **found.pop("OPTIONS", {})}
    return {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, **found, "OPTIONS": options}


def second_factor(name: str, *, demo: bool, secure: bool) -> str:
    """Return "required", or "demo" where the demo's logins stand and nothing is reached over https.

    "demo" asks nobody for a second factor who has not chosen one; with https it stops the start.
    """
    default = "demo" if demo and not secure else "required"
    chosen = choice(name, default, ("required", "demo"))
    if chosen == "demo" and secure:
        raise SettingsProblem(f"{name}=demo is for trying Watchbook out without https. Unset it.")
    return chosen


def broker(folder: Path) -> tuple[bool, str]:
    """Return whether the broker is the embedded one, and its address as redis-py reads it.

    The embedded one writes its address into the data folder when it starts; before that, it is where it will listen.
    """
    schemes = ("redis", "rediss", "unix")
    named = endpoint("REDIS_URL", schemes, expected="an address such as redis://127.0.0.1:6379/0")
    if named:
        return False, named
    kept = folder / "broker" / "address"
    return True, kept.read_text().strip() if kept.is_file() else f"unix://{(folder / 'broker' / 'socket').resolve()}"


def mail(folder: Path) -> dict[str, Any]:
    """Return Django's mail settings: a server by EMAIL_URL, else files in the data folder."""
    kept = {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": folder / "mail"}

    def convert(raw: str) -> dict[str, Any]:
        url = urlsplit(raw)
        if url.scheme not in {"smtp", "smtps", "smtp+tls", "smtp+ssl"} or not url.hostname or url.port == 0:
            raise ValueError("not a mail server")
        found = environ.Env.email_url_config(raw)
        return {name: value for name, value in found.items() if value is not None and name != "EMAIL_FILE_PATH"}

    expected = "a mail server such as smtp+tls://user:password@mail.example.org:587"
    return read("EMAIL_URL", kept, convert, expected=expected)
