"""Segments: rotation, torn tails at every byte, corruption in the middle."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callboard.runtime.journal.errors import (
    CorruptedJournalError,
    JournalClosedError,
    JournalLockedError,
    JournalVersionError,
)
from callboard.runtime.journal.frame import encode_frame
from callboard.runtime.journal.reader import JournalReader
from callboard.runtime.journal.record import session_payload
from callboard.runtime.journal.segment import segment_header, segment_name, segments
from callboard.runtime.journal.writer import SegmentWriter

SMALL = 200
"""A segment size that makes segments of three records."""


def write(folder: Path, count: int, size: int = 1 << 20, batch: int = 1) -> None:
    """Append so many records, a batch at a time, and close."""
    writer = SegmentWriter(folder, size)
    for start in range(0, count, batch):
        numbers = range(writer.next, writer.next + min(batch, count - start))
        frames = (encode_frame(session_payload(n, n, "opened", f"r{n}")) for n in numbers)
        writer.write(b"".join(frames), len(numbers))
    writer.close()


def numbers(folder: Path) -> list[int]:
    """Return the numbers of all records."""
    return [record.sequence for record in JournalReader(folder)]


def only_segment(folder: Path) -> Path:
    [path] = segments(folder)
    return path


def test_a_full_segment_is_followed_by_another(tmp_path: Path) -> None:
    """Segments are named after their first record, and are read as one journal."""
    write(tmp_path, 20, SMALL)
    files = segments(tmp_path)
    assert len(files) > 3
    assert files[0].name == segment_name(0)
    assert all(path.stat().st_size < SMALL + 100 for path in files)
    assert numbers(tmp_path) == list(range(20))


def test_a_journal_is_continued(tmp_path: Path) -> None:
    """Numbers go on through sessions and segments."""
    for _ in range(5):
        write(tmp_path, 3, SMALL)
    assert numbers(tmp_path) == list(range(15))


def test_one_segment_can_be_read_alone(tmp_path: Path) -> None:
    """A file in place of the folder shows that file."""
    write(tmp_path, 20, SMALL)
    second = segments(tmp_path)[1]
    assert numbers(second)[0] == int(second.stem)


def test_old_segments_may_be_deleted(tmp_path: Path) -> None:
    """What is left begins later, and is whole."""
    write(tmp_path, 20, SMALL)
    files = segments(tmp_path)
    files[0].unlink()
    assert numbers(tmp_path) == list(range(int(files[1].stem), 20))


def test_cutting_at_every_byte_loses_only_the_tail(tmp_path: Path) -> None:
    """Wherever a crash stops the writing: what was whole is read, the rest is cut off, reported."""
    write(tmp_path / "whole", 6)
    whole = only_segment(tmp_path / "whole").read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    starts = ends[1:]  # behind the first line and the header
    for cut in range(len(whole)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / segment_name(0)).write_bytes(whole[:cut])
        survivors = sum(end <= cut for end in starts[1:])
        reader = JournalReader(folder)
        assert [record.sequence for record in reader] == list(range(survivors))
        assert (reader.torn is None) == (cut in starts)
        writer = SegmentWriter(folder, 1 << 20)
        assert (writer.torn is None) == (cut in starts)
        if writer.torn is not None:
            assert writer.torn.offset + writer.torn.lost == cut
        assert writer.next == survivors
        writer.close()
        write(folder, 2)
        assert numbers(folder) == list(range(survivors + 2))


def test_a_torn_rotation_is_mended(tmp_path: Path) -> None:
    """A crash may come when the next segment has a name and nothing, or little, in it."""
    header = segment_header(20)
    for cut in range(len(header)):
        folder = tmp_path / str(cut)
        write(folder, 20, SMALL)
        (folder / segment_name(20)).write_bytes(header[:cut])
        write(folder, 2, SMALL)
        assert numbers(folder) == list(range(22))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_damage_never_goes_unnoticed(tmp_path: Path, data: st.DataObject) -> None:
    """A byte that changes is an error that names the place, or, at the very end, a torn tail."""
    folder = tmp_path / "journal"
    if not folder.exists():
        write(folder, 12, SMALL)
    path = data.draw(st.sampled_from(segments(folder)))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    reader = JournalReader(folder)
    try:
        read, said = [record.sequence for record in reader], None
    except (CorruptedJournalError, JournalVersionError) as error:
        read, said = [], error
    path.write_bytes(whole)
    if said is None:
        assert read == list(range(11))
        assert reader.torn is not None
        assert reader.torn.segment == path
        assert reader.torn.offset <= place
    else:
        assert said.segment == path
        assert getattr(said, "offset", 0) <= place


def test_damage_before_the_end_names_segment_and_offset(tmp_path: Path) -> None:
    """It is not cut off, because whole frames follow: neither reading nor writing goes on."""
    write(tmp_path, 6)
    path = only_segment(tmp_path)
    data = bytearray(path.read_bytes())
    place = data.index(b"r2")
    data[place] ^= 1
    path.write_bytes(data)
    read = []
    with pytest.raises(CorruptedJournalError, match="checksum") as caught:
        read.extend(record.sequence for record in JournalReader(tmp_path))
    start = data.rindex(b"\n", 0, place) + 1
    assert (caught.value.segment, caught.value.offset) == (path, start)
    with pytest.raises(CorruptedJournalError):
        SegmentWriter(tmp_path, SMALL)
    assert path.read_bytes() == data
    # The error's advice works.
    os.truncate(path, caught.value.offset)
    write(tmp_path, 1)
    assert numbers(tmp_path) == [0, 1, 2]


def test_a_missing_segment_is_an_error(tmp_path: Path) -> None:
    """A hole in the numbers is noticed."""
    write(tmp_path, 20, SMALL)
    segments(tmp_path)[1].unlink()
    with pytest.raises(CorruptedJournalError, match="is due"):
        numbers(tmp_path)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"once upon a time\n", CorruptedJournalError),
        (b"callboard-journal 2\nwhatever", JournalVersionError),
        (segment_header(0).replace(b"first", b"FIRST"), CorruptedJournalError),
        (b"callboard-journal 1\n" + encode_frame(b"[]"), CorruptedJournalError),
        (segment_header(7) + encode_frame(session_payload(9, 0, "opened", "")), ValueError),
        (segment_header(0) + encode_frame(b"{}"), CorruptedJournalError),
    ],
)
def test_foreign_files_are_refused(tmp_path: Path, content: bytes, error: type) -> None:
    """Another format, or no format at all, is an error and no torn tail."""
    if b"FIRST" in content:
        content += encode_frame(b"{}")
    (tmp_path / segment_name(0)).write_bytes(content)
    with pytest.raises(error):
        numbers(tmp_path)


@pytest.mark.parametrize("make", [lambda path: path, lambda path: path / "no.journal"])
def test_nothing_to_read_says_so(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    """An empty folder and a missing file are both errors."""
    with pytest.raises(FileNotFoundError):
        JournalReader(make(tmp_path))


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """A second writer is refused until the first one has closed."""
    writer = SegmentWriter(tmp_path, SMALL)
    with pytest.raises(JournalLockedError):
        SegmentWriter(tmp_path, SMALL)
    writer.close()
    SegmentWriter(tmp_path, SMALL).close()


def test_a_fork_does_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child process would interleave its records with its parent's."""
    writer = SegmentWriter(tmp_path, SMALL)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(JournalClosedError, match="fork"):
        writer.write(b"", 0)
    writer.close()


def test_journals_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Bodies are content: nobody else may read them."""
    write(tmp_path / "new", 1)
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    assert only_segment(tmp_path / "new").stat().st_mode & 0o077 == 0
