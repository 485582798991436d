"""The demo company's packet on a machine without the portal: it verifies, and no file of it is changed unseen."""

import re
import shutil
import subprocess
import sysconfig
import venv
import zipfile
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from portal.audit import anchors, sealing, signing
from portal.lib import clock
from tests.factories.packets import VERIFIER

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(300)]
NEEDED = ("cryptography", "cffi", "_cffi_backend", "pycparser")
GUIDE = settings.BASE_DIR / "docs" / "auditor.md"


@pytest.fixture
def machine(tmp_path):
    """A folder of a stranger: a Python of its own that has `cryptography` and nothing else, and the checker."""
    home = tmp_path / "stranger"
    venv.create(home / "python", with_pip=False, symlinks=True)
    (libraries,) = (home / "python").glob("lib/python3*/site-packages")
    for name in NEEDED:
        for found in Path(sysconfig.get_path("platlib")).glob(f"{name}*"):
            if not found.name.endswith(".dist-info"):
                (libraries / found.name).symlink_to(found)
    shutil.copyfile(VERIFIER, home / "verify_packet.py")
    return home


@pytest.fixture
def run(machine):
    """`run("python3 verify_packet.py ...")`: what a command says in the stranger's folder, in an isolated process."""

    def run(line):
        program, *words = line.split()
        assert program == "python3"
        return subprocess.run(
            [machine / "python" / "bin" / "python3", "-I", *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=machine,
            env={"PYTHONIOENCODING": "utf-8"},
        )

    return run


@pytest.fixture
def packet(machine):
    """The packet of the demo company, as the handle of the command line makes it; an anchor was kept before."""
    said, now = StringIO(), clock.now()
    call_command("demo", stdout=said)
    while sealing.seal(at=now):
        continue
    (machine / "kept.jsonl").write_text(anchors.anchor(at=now).line() + "\n")
    days = [f"--from={now - timedelta(days=200):%Y-%m-%d}", f"--to={now:%Y-%m-%d}"]
    out = machine / "packet.zip"
    call_command("audit", "packet", *days, "--sample=25", "--seed=20261130", f"--out={out}", stdout=said)
    return out


def commands():
    """The lines that the auditors' guide tells a stranger to type, word for word."""
    part = GUIDE.read_text(encoding="utf-8").partition("## Take the proof home")[2].partition("\n## ")[0]
    return re.findall(r"`(python3 verify_packet\.py .+?)`", part)


def test_the_demo_companys_packet_is_proven_without_the_portal_and_falls_with_any_byte(packet, machine, run):
    for absent in ("portal", "django"):
        assert run(f"python3 -m {absent}").stderr.endswith(f"No module named {absent}\n")
    key = signing.signer().key_id

    plain, against = commands()
    for line in (plain, against):
        told = run(line.replace("KEY", key).replace("FILE.zip", packet.name).replace("after.json", "kept.jsonl"))
        assert (told.returncode, told.stderr) == (0, ""), told.stdout
        assert told.stdout.endswith("This packet VERIFIES, with the key that you trust.\n")
        assert "25 sampled records" in told.stdout
    assert "Your own anchors name the same heads as this packet at 1 of its positions." in told.stdout

    whole = packet.read_bytes()
    with zipfile.ZipFile(packet) as container:
        entries = container.infolist()
    assert len(entries) > 2 * 25 + 8
    for entry in entries:
        place = entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2
        (machine / "changed.zip").write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        told = run(f"python3 verify_packet.py changed.zip --key {key}")
        assert (told.returncode, told.stderr) == (1, "")
        wrong = [line for line in told.stdout.splitlines() if "WRONG" in line]
        assert any(entry.filename in line for line in wrong), (entry.filename, told.stdout)
