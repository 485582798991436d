"""Makes the virtual environment and continues inside it. Standard library only, and readable by any Python 3.

Run as `python3 -m portal.bootstrap`, it prepares the environment with the development tools and stops.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UNFINISHED = VENV / "unfinished"
RUNTIME = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"
OLDEST = (3, 11)
ARRIVED = "WATCHBOOK_BOOTSTRAPPED"
NO_PACKAGES = (
    "the requirements could not be installed. Look at the lines above: without a way to a package index, set "
    "PIP_INDEX_URL (and UV_INDEX_URL with uv) to one that you can reach; then run the command again."
)


class CannotStart(Exception):
    """The environment cannot be made; the message says what to do."""


def say(line: str) -> None:
    """Tell a step on standard error, so that what a command prints stays clean."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def in_environment() -> bool:
    """Return whether this Python runs inside a virtual environment, whichever it is."""
    return sys.prefix != sys.base_prefix


def enter(arguments: Sequence[str]) -> None:
    """Return inside an environment that has what the command needs; outside one, make it and start anew in it."""
    arrived = os.environ.pop(ARRIVED, None)
    for_tests = arguments[:1] == ["test"]
    if in_environment():
        if for_tests and importlib.util.find_spec("pytest_django") is None:
            _complete_own_environment()
        elif importlib.util.find_spec("django") is None and Path(sys.prefix) != VENV:
            raise CannotStart(
                f"the active environment {sys.prefix} lacks the requirements. Leave it with `deactivate`, or install "
                f"them with: python -m pip install --require-hashes -r {RUNTIME}"
            )
        return
    if arrived:
        raise CannotStart(f"{PYTHON} is not inside its environment. Delete {VENV} and run the command again.")
    prepare([RUNTIME, DEVELOPMENT] if for_tests else [RUNTIME])
    continue_inside(sys.argv)


def _complete_own_environment() -> None:
    if Path(sys.prefix).resolve() != VENV.resolve():
        raise CannotStart(
            f"the active environment {sys.prefix} lacks the test tools. Leave it with `deactivate`, or install them "
            f"with: python -m pip install --require-hashes -r {DEVELOPMENT}"
        )
    prepare([RUNTIME, DEVELOPMENT])


def continue_inside(argv: Sequence[str]) -> NoReturn:
    """Replace this process by the same command in the environment."""
    sys.stdout.flush()
    os.environ[ARRIVED] = "1"
    os.execv(str(PYTHON), [str(PYTHON), *argv])  # noqa: S606 - the same command, without a shell


def prepare(locks: Sequence[str]) -> None:
    """Make the environment hold exactly what the `locks` name. Quick when it already does; one process at a time."""
    check_python()
    if all(is_current(lock) for lock in locks):
        return
    with one_at_a_time():
        needed = [lock for lock in locks if not is_current(lock)]
        if not needed:
            return
        whole = is_whole()
        if not whole:
            make_environment()
            needed = list(locks)
        UNFINISHED.touch()
        try:
            for lock in needed:
                install(lock)
                stamp(lock).write_text(digest(lock))
        except CannotStart:
            if whole:  # nothing could be fetched, and what stood before still stands
                UNFINISHED.unlink()
            raise
        UNFINISHED.unlink()


def check_python() -> None:
    """Raise CannotStart on a system or a Python that Watchbook does not run on."""
    if os.name != "posix":
        raise CannotStart("it runs on Linux and macOS. On Windows, use the Windows Subsystem for Linux.")
    if sys.version_info < OLDEST:
        raise CannotStart(
            "it needs Python {}.{} or newer and this is {}.{}. Install a newer Python and start with it, for instance: "
            "python3.13 manage.py portal".format(*OLDEST, *sys.version_info)
        )


def digest(lock: str) -> str:
    """Return what the environment depends on: the lock, the kind of Python and the place, as one SHA-256."""
    facts = [str(sys.implementation.cache_tag), str(ROOT), (ROOT / lock).read_text()]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def stamp(lock: str) -> Path:
    """Return the file that says which lock the environment holds."""
    return VENV / f"{lock}.sha256"


def is_current(lock: str) -> bool:
    """Return whether the environment is finished and holds this lock for this Python."""
    if UNFINISHED.exists() or not PYTHON.exists() or not stamp(lock).is_file():
        return False
    return stamp(lock).read_text() == digest(lock)


def is_whole() -> bool:
    """Return whether an environment of this kind of Python stands, so that it only needs its packages."""
    packages = VENV / "lib" / "python{}.{}".format(*sys.version_info) / "site-packages"
    return PYTHON.exists() and packages.is_dir() and not UNFINISHED.exists()


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the lock of the environment, so that two first starts do not write into one another."""
    import fcntl  # noqa: PLC0415 - absent on Windows, where check_python() says so

    with open(ROOT / ".venv.lock", "w") as file:  # noqa: PTH123
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start is preparing the environment; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_environment() -> None:
    """Make an empty environment, in place of one that is half made or of another Python."""
    if VENV.exists():
        say("Removing the environment .venv: it is half made, or of another Python")
        shutil.rmtree(VENV)
    say(f"Making the environment .venv with Python {sys.version.split()[0]}")
    VENV.mkdir()
    UNFINISHED.touch()
    uv = shutil.which("uv")
    if uv and run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV)]):
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise CannotStart(
            "this Python has no venv module. Install it (on Debian and Ubuntu: apt-get install python3-venv), then "
            "run the command again."
        )
    if not run([sys.executable, "-m", "venv", str(VENV)]):
        raise CannotStart(f"the environment {VENV} could not be made. Look at the lines above.")


def install(lock: str) -> None:
    """Install what `lock` names, every file checked against its hash."""
    say(f"Installing {lock}; the first time this takes a minute")
    uv = shutil.which("uv")
    pinned = ["--require-hashes", "-r", str(ROOT / lock)]
    if uv and run([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(PYTHON), *pinned]):
        return
    if uv:
        say("uv did not manage; trying pip")
    pip = [str(PYTHON), "-m", "pip"]
    if not run([*pip, "--version"], quiet=True) and not run([str(PYTHON), "-m", "ensurepip"], quiet=True):
        raise CannotStart(f"{PYTHON} has no pip. Delete {VENV} and run the command again.")
    if not run([*pip, "install", "--quiet", "--disable-pip-version-check", "--no-input", *pinned]):
        raise CannotStart(NO_PACKAGES)


def run(command: Sequence[str], *, quiet: bool = False) -> bool:
    """Run `command` to its end and return whether it succeeded. What it prints goes to standard error."""
    out = subprocess.DEVNULL if quiet else sys.stderr
    try:
        done = subprocess.run(list(command), stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)  # noqa: S603
    except OSError:
        return False
    return done.returncode == 0


def option(arguments: Sequence[str], name: str) -> str:
    """Return the value of `--name VALUE` or `--name=VALUE`, the last one given; "" when there is none."""
    found = ""
    for position, argument in enumerate(arguments):
        if argument.startswith(f"--{name}="):
            found = argument.partition("=")[2]
        elif argument == f"--{name}" and position + 1 < len(arguments):
            found = arguments[position + 1]
    return found


def announce(arguments: Sequence[str]) -> None:
    """Tell the settings, before Django reads them, which data folder and which address `portal` was given."""
    data = option(arguments, "data")
    if data:
        os.environ["PORTAL_DATA"] = str(Path(data).expanduser().absolute())
    host = option(arguments, "host")
    host = "127.0.0.1" if host in {"", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    os.environ["PORTAL_ADDRESS"] = f"http://{host}:{option(arguments, 'port') or 8000}"


def stop(problem: CannotStart) -> NoReturn:
    """Leave with the sentence of the problem."""
    sys.exit(f"Watchbook did not start: {problem}")


if __name__ == "__main__":
    try:
        prepare([RUNTIME, DEVELOPMENT])
    except CannotStart as found_problem:
        stop(found_problem)
    except KeyboardInterrupt:
        sys.exit("Stopped. The next start takes up from here.")
