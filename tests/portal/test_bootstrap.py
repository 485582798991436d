"""The first start makes its environment, the second is quick, and what goes wrong is said in a sentence."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from portal import bootstrap

CHECKOUT = Path(bootstrap.__file__).parents[1]
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)


@pytest.fixture
def checkout(tmp_path):
    """A checkout with an empty lock, whose only command says where it runs."""
    (tmp_path / "portal" / "audit").mkdir(parents=True)
    shutil.copy(CHECKOUT / "manage.py", tmp_path)
    shutil.copy(CHECKOUT / "portal" / "bootstrap.py", tmp_path / "portal")
    (tmp_path / "portal" / "__init__.py").touch()
    (tmp_path / "portal" / "audit" / "__init__.py").touch()
    command = "import os, sys\ndef run(argv): print(sys.prefix, argv[1:], os.environ.get('PORTAL_DATA', ''))\n"
    (tmp_path / "portal" / "audit" / "commands.py").write_text(command)
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    return tmp_path


def start(checkout, *arguments, python=BASE_PYTHON, **environment):
    """Run manage.py outside any environment, without uv, and return the finished process."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "PYTHON", "PORTAL_"))
    }
    clean |= {"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", "WATCHBOOK_BOOTSTRAPPED": "", **environment}
    if not clean["WATCHBOOK_BOOTSTRAPPED"]:
        del clean["WATCHBOOK_BOOTSTRAPPED"]
    return subprocess.run(
        [python, "manage.py", *arguments], cwd=checkout, env=clean, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_first_start_makes_the_environment_and_the_second_says_nothing(checkout):
    first = start(checkout, "hello", "there")
    assert first.returncode == 0, first.stderr
    assert first.stdout == f"{checkout / '.venv'} ['hello', 'there'] \n"
    assert "Making the environment .venv" in first.stderr
    assert "Installing requirements.txt" in first.stderr
    second = start(checkout, "hello")
    assert (second.returncode, second.stderr) == (0, "")


@pytest.mark.slow
def test_an_environment_left_half_made_is_made_anew(checkout):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").write_text("half")
    (checkout / ".venv" / "unfinished").touch()
    done = start(checkout, "hello")
    assert done.returncode == 0, done.stderr
    assert "Removing the environment .venv" in done.stderr
    assert not (checkout / ".venv" / "unfinished").exists()


@pytest.mark.slow
def test_two_first_starts_at_once_both_arrive_and_only_one_makes_it(checkout):
    command = [BASE_PYTHON, "manage.py", "hello"]
    environment = {**os.environ, "PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1"}
    both = [
        subprocess.Popen(
            command, cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("Making the environment" in stderr for _, stderr in said) == 1


@pytest.mark.slow
def test_without_a_package_index_it_says_what_to_set_and_keeps_what_stood(checkout):
    assert start(checkout, "hello").returncode == 0
    (checkout / "requirements.txt").write_text("no-such-package==1 --hash=sha256:" + "0" * 64 + "\n")
    failed = start(checkout, "hello")
    assert failed.returncode == 1
    assert "set PIP_INDEX_URL" in failed.stderr
    assert "Traceback" not in failed.stderr
    (checkout / "requirements.txt").write_text("# nothing\n")
    assert start(checkout, "hello").stderr == ""


@pytest.mark.slow
def test_a_changed_lock_is_installed_into_the_environment_that_stands(checkout):
    assert start(checkout, "hello").returncode == 0
    (checkout / "requirements.txt").write_text("# still nothing\n")
    done = start(checkout, "hello")
    assert done.returncode == 0
    assert "Installing requirements.txt" in done.stderr
    assert "Making the environment" not in done.stderr


def test_a_start_that_does_not_arrive_in_the_environment_stops_instead_of_trying_forever(checkout):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    done = start(checkout, "hello", WATCHBOOK_BOOTSTRAPPED="1")
    assert done.returncode == 1
    assert "Delete" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_python_that_is_too_old_is_told_so(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    with pytest.raises(bootstrap.CannotStart, match=r"needs Python 3\.11 or newer and this is 3\.9"):
        bootstrap.check_python()


def test_the_files_of_the_first_step_are_readable_by_an_old_python():
    for name in ("manage.py", "portal/bootstrap.py"):
        ast.parse((CHECKOUT / name).read_text(), feature_version=(3, 7))


def test_a_python_without_venv_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "UNFINISHED", tmp_path / ".venv" / "unfinished")
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _name: None)
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(bootstrap.CannotStart, match="apt-get install python3-venv"):
        bootstrap.make_environment()


def test_another_environment_without_the_requirements_is_left_alone(monkeypatch):
    monkeypatch.setattr(bootstrap, "in_environment", lambda: True)
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(sys, "prefix", "/somewhere/else")
    with pytest.raises(bootstrap.CannotStart, match="deactivate"):
        bootstrap.enter(["portal"])
    with pytest.raises(bootstrap.CannotStart, match="test tools"):
        bootstrap.enter(["test"])


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ([], ""),
        (["--data", "a"], "a"),
        (["--data=b"], "b"),
        (["--data", "a", "--data=b"], "b"),
        (["--data"], ""),
        (["--database", "x"], ""),
    ],
)
def test_an_option_is_read_in_both_spellings_and_the_last_one_counts(arguments, value):
    assert bootstrap.option(arguments, "data") == value


def test_the_portal_announces_its_folder_and_address_to_the_settings(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.chdir(tmp_path)
    bootstrap.announce(["--data", "here", "--port=8123"])
    assert os.environ == {"PORTAL_DATA": str(tmp_path / "here"), "PORTAL_ADDRESS": "http://127.0.0.1:8123"}


def test_the_environment_depends_on_lock_python_and_place(monkeypatch, tmp_path):
    (tmp_path / "requirements.txt").write_text("one")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    before = bootstrap.digest("requirements.txt")
    (tmp_path / "requirements.txt").write_text("two")
    after = bootstrap.digest("requirements.txt")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path / "moved")
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "requirements.txt").write_text("two")
    moved = bootstrap.digest("requirements.txt")
    monkeypatch.setattr(sys.implementation, "cache_tag", "cpython-313")
    assert len({before, after, moved, bootstrap.digest("requirements.txt")}) == 4


def test_an_environment_of_another_python_is_made_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / "bin" / "python")
    monkeypatch.setattr(bootstrap, "UNFINISHED", tmp_path / "unfinished")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    monkeypatch.setattr(sys, "version_info", (3, 11, 9))
    assert bootstrap.is_whole()
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert not bootstrap.is_whole()
