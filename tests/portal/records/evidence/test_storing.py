"""Each content once, under its SHA-256, read-only; what is not kept leaves nothing behind."""

import errno
import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta

import pytest

from portal.records.evidence import storing
from portal.records.evidence.storing import Damaged, Draft, NoRoom

NOW = datetime.now(UTC)
LATER = NOW + storing.SAFE_AFTER + timedelta(hours=1)


def kept(content=b"a log", parts=3):
    with Draft() as draft:
        step = len(content) // parts + 1
        for start in range(0, len(content), step):
            draft.write(content[start : start + step])
        return storing.keep(draft)


def everything(folder):
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    )


def test_a_file_lies_under_its_digest_read_only(folder):
    path = kept(b"a log")
    digest = hashlib.sha256(b"a log").hexdigest()
    assert path == folder / digest[:2] / digest[2:4] / digest
    assert stat.S_IMODE(path.stat().st_mode) == 0o440
    assert everything(folder) == [f"{digest[:2]}/{digest[2:4]}/{digest}"]
    assert storing.measure(path) == (5, digest)


def test_the_same_content_is_stored_once(folder):
    first, second = kept(b"same"), kept(b"same")
    assert first == second
    assert len(everything(folder)) == 1
    assert first.stat().st_nlink == 1


def test_what_is_not_kept_leaves_nothing(folder):
    with Draft() as draft:
        draft.write(b"x" * 1000)
    assert everything(folder) == []


def test_content_that_was_altered_on_the_disk_is_not_taken_for_the_same(folder):
    path = kept(b"same")
    path.chmod(0o600)
    path.write_bytes(b"SAME")
    with pytest.raises(Damaged):
        kept(b"same")
    assert everything(folder) == [str(path.relative_to(folder))]


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_no_object_and_says_so(folder, monkeypatch, call, number):
    def full(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(storing.os, call, full)
    with pytest.raises(NoRoom):
        kept(b"too much")
    monkeypatch.undo()
    assert everything(folder) == []


def test_a_disk_that_fills_up_in_the_middle_leaves_nothing(folder, monkeypatch):
    real, left = os.write, [10]

    def filling(descriptor, data):
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(descriptor, bytes(data)[: left[0]])
        left[0] -= written
        return written

    monkeypatch.setattr(storing.os, "write", filling)
    with pytest.raises(NoRoom):
        kept(b"x" * 50, parts=1)
    assert everything(folder) == []


def test_room_is_asked_for_before_anything_is_written(monkeypatch):
    monkeypatch.setattr(storing, "free_bytes", lambda: 100)
    storing.check_room(100)
    with pytest.raises(NoRoom):
        storing.check_room(101)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "0" * 63, f"{'0' * 64}\n"])
def test_only_a_digest_is_a_place(digest):
    with pytest.raises(ValueError, match="no SHA-256"):
        storing.path_of(digest)


def test_what_nobody_names_is_cleared_away_once_it_is_old(folder):
    orphan, named = kept(b"orphan"), kept(b"named")
    abandoned = Draft()
    abandoned.write(b"half")
    stranger = folder / "notes.txt"
    stranger.write_text("whose?")

    def is_named(digest):
        return digest == named.name

    assert storing.clear_away(is_named, at=NOW) == []
    gone = storing.clear_away(is_named, at=LATER)
    assert {found.path for found in gone} == {orphan, abandoned.path}
    assert named.exists()
    assert stranger.exists()


def test_nothing_is_cleared_away_while_a_file_is_taken_in():
    orphan = kept(b"orphan")
    with storing.holding():
        assert storing.clear_away(lambda digest: False, at=LATER) == []
    assert orphan.exists()
    assert storing.clear_away(lambda digest: False, at=LATER)


def test_content_that_comes_again_is_young_again(monkeypatch):
    path = kept(b"orphan")
    os.utime(path, (0, 0))
    kept(b"orphan")
    assert path.stat().st_mtime > 0


def test_a_link_under_a_digest_is_no_object(folder):
    path = kept(b"target")
    fake = folder / "ab" / "cd" / ("abcd" + "0" * 60)
    fake.parent.mkdir(parents=True)
    fake.symlink_to(path)
    assert {found.name: found.digest for found in storing.files(at=NOW)}[str(fake.relative_to(folder))] == ""
