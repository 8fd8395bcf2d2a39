"""Images and firmware: what is written is read again, and nothing else is."""

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from twin.cli import app
from twin.errors import ImageError, ScenarioError
from twin.mesh.images import (
    MAGIC,
    Firmware,
    Image,
    chunk_count,
    crc_16,
    firmware,
    make_image,
    read_image,
)
from twin.twin import Twin

SPACE = 59_904  # 58.5 KB of the flash of an RF200 (data sheet of the SM200)
VERSIONS = ("2.4", "2.5", "2.6.2", "2.6.9", "2.7.1", "2.7.2", "2.8.1", "2.8.2")
SMALL = make_image("ab", 5)

printable = st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="/\\")
names = st.text(printable, min_size=1, max_size=64)


def changed(at: int, *values: int) -> bytes:
    """The small file with some bytes replaced from a place on."""
    return SMALL[:at] + bytes(values) + SMALL[at + len(values) :]


# --- the format --------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "crc"),
    [(b"123456789", 0x29B1), (b"", 0xFFFF), (b"A", 0xB915), (b"\x00", 0xE1F0)],
)
def test_the_crc_is_ccitt_false(data: bytes, crc: int) -> None:
    assert crc_16(data) == crc


def test_the_crc_is_what_its_polynomial_says() -> None:
    register = 0xFFFF
    for byte in SMALL:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1) ^ (0x11021 if register & 0x8000 else 0)
    assert crc_16(SMALL) == register


def test_every_byte_stands_where_the_description_says() -> None:
    body = SMALL[14:]
    crc = crc_16(b"ab" + body)
    assert len(body) == 5
    assert SMALL[:14] == b"TSPY\x01\x02ab\x00\x00\x00\x05" + bytes((crc >> 8, crc & 0xFF))


@given(names, st.integers(1, 3_000) | st.just(SPACE))
@settings(deadline=None)
def test_what_is_made_is_read_again(name: str, size: int) -> None:
    data = make_image(name, size)
    image = read_image(data)
    assert (image.name, image.size_bytes) == (name, size)
    assert len(image.body) == size
    assert data.endswith(image.body)
    assert image.crc == crc_16(name.encode() + image.body)
    assert make_image(name, size) == data


def test_the_same_name_and_size_stay_the_same_bytes() -> None:
    # A changed file changes the CRC that every client of the API was shown.
    assert read_image(make_image("blink", 690)).crc_text == "0x2276"
    assert read_image(make_image("McastCounter", 3489)).crc_text == "0x4dd2"


def test_another_name_or_size_is_another_script() -> None:
    bodies = [
        read_image(make_image(*one)).body[:30]
        for one in (("a", 40), ("b", 40), ("a", 41), ("a4", 1))
    ]
    assert len(set(bodies)) == 4


def test_a_script_looks_as_dense_as_a_real_one() -> None:
    # An exported script of 937 bytes has 7.78 bit a byte; evenly drawn bytes 7.8 on average.
    data = make_image("blink", 937 - 17)
    shares = [count / len(data) for count in Counter(data).values()]
    assert len(data) == 937
    assert 7.7 < -sum(share * math.log2(share) for share in shares) < 7.9


def test_an_image_writes_its_crc_as_the_service_does() -> None:
    small = next(found for n in range(99) if (found := Image(f"n{n}", b"x")).crc < 0x1000)
    assert small.crc_text == f"0x0{small.crc:x}"


def test_an_open_twin_makes_them_too() -> None:
    assert Twin.make_image("ab", 5) == SMALL


# --- what is refused ---------------------------------------------------------


REFUSED = [
    (b"", "too short", "byte 0", "0 B", "at least 14 B"),
    (SMALL[:3], "too short", "byte 3", "3 B", "at least 14 B"),
    (SMALL[:13], "too short", "byte 13", "13 B", "at least 14 B"),
    (changed(5, 8), "too short", "byte 19", "19 B", "at least 21 B"),
    (b"\xfd\xdf\x42\xa6" + SMALL[4:], "not a SPY file", "bytes 0 to 3", "fd df 42 a6", "TSPY"),
    (b"PK", "not a SPY file", "bytes 0 to 3", "50 4b", "54 53 50 59"),
    (changed(4, 2), "unknown version", "byte 4", "2", "1"),
    (changed(5, 0), "the name cannot be so long", "byte 5", "0", "1 to 64"),
    (changed(5, 65), "the name cannot be so long", "byte 5", "65", "1 to 64"),
    (changed(6, 7), "not a script's name", "bytes 6 to 7", r"'\x07b'", "printable ASCII"),
    (changed(7, ord("/")), "not a script's name", "bytes 6 to 7", "'a/'", "without slashes"),
    (changed(6, 0xE9), "not a script's name", "bytes 6 to 7", "'éb'", "printable ASCII"),
    (changed(8, 0, 0, 0, 0), "no script", "bytes 8 to 11", "0 B", "1 to 59904 B"),
    (changed(8, 0, 0, 0xEA, 1), "no script", "bytes 8 to 11", "59905 B", "1 to 59904 B"),
    (changed(8, 0, 0, 0, 6), "the size does not match", "bytes 8 to 11", "6 B", "5 B"),
    (SMALL[:-1], "the size does not match", "bytes 8 to 11", "5 B", "4 B"),
    (SMALL + b"\n", "the size does not match", "bytes 8 to 11", "5 B", "6 B"),
    (changed(12, 0, 0), "the CRC does not match", "bytes 12 to 13", "0x0000",
     read_image(SMALL).crc_text),
]  # fmt: skip


@pytest.mark.parametrize(("data", "what", "where", "value", "allowed"), REFUSED)
def test_a_file_is_refused_with_what_where_and_why(
    data: bytes, what: str, where: str, value: str, allowed: str
) -> None:
    with pytest.raises(ImageError) as caught:
        read_image(data, "mine.spy")
    problem = caught.value.problem
    assert problem.what.startswith(what)
    assert (problem.file, problem.key) == ("mine.spy", where)
    assert problem.value == value
    assert allowed in problem.allowed
    assert str(caught.value).startswith(f"mine.spy: {where}: {what}")


def test_a_full_script_fits_and_one_byte_more_does_not() -> None:
    image = Image("full", bytes(SPACE + 1))
    head = MAGIC + b"\x01\x04full" + (SPACE + 1).to_bytes(4) + image.crc.to_bytes(2)
    assert read_image(make_image("full", SPACE)).size_bytes == SPACE
    with pytest.raises(ImageError, match="no script that a node has room for"):
        read_image(head + image.body)


def test_no_single_wrong_byte_goes_unnoticed() -> None:
    for place, right in enumerate(SMALL):
        for wrong in set(range(256)) - {right}:
            with pytest.raises(ImageError):
                read_image(changed(place, wrong))


def test_no_cut_goes_unnoticed() -> None:
    for length in range(len(SMALL)):
        with pytest.raises(ImageError):
            read_image(SMALL[:length])


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda rest: SMALL[:6] + rest))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        image = read_image(data)
    except ImageError:
        return
    assert len(data) == 12 + len(image.name) + image.size_bytes


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "a\n", "ä", "a" * 65])
def test_names_that_cannot_be_are_not_written(name: str) -> None:
    with pytest.raises(ImageError, match="not a script's name") as caught:
        make_image(name, 5)
    assert caught.value.problem.value == repr(name)


@pytest.mark.parametrize("size", [0, -1, SPACE + 1, 5.0, True])
def test_sizes_that_cannot_be_are_not_written(size: int) -> None:
    with pytest.raises(ImageError, match=r"1 to 59904 B, the script space of an RF200"):
        make_image("ab", size)


# --- firmware, chunks --------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_known_firmware_is_found(version: str) -> None:
    found = firmware("RF200", version)
    assert found == Firmware("RF200", version, 64_000)
    assert found.size_bytes <= 128 * 1024 - SPACE  # what the script leaves of the flash


def test_unknown_firmware_is_refused_with_what_there_is() -> None:
    with pytest.raises(ImageError) as caught:
        firmware("RF200", "2.7.3")
    assert caught.value.problem.value == "'2.7.3'"
    assert caught.value.problem.allowed == ", ".join(VERSIONS)
    with pytest.raises(ScenarioError) as unknown:
        firmware("RF2000", "2.7.1")
    assert unknown.value.hint == "did you mean RF200?"


@pytest.mark.parametrize(
    ("size_bytes", "chunks"), [(690, 11), (3_489, 55), (SPACE, 936), (70 * 1024, 1_120), (64, 1)]
)
def test_chunks_of_64_bytes(size_bytes: int, chunks: int) -> None:
    assert chunk_count(size_bytes, 64) == chunks


# --- the command line --------------------------------------------------------


def call(*words: str) -> tuple[int, str, str]:
    """Give status, stdout and stderr of a command."""
    found = CliRunner().invoke(app, ["image", *words])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


def test_make_and_show_print_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    status, made, _ = call("make", "McastCounter", "--size", "3489")
    assert status == 0
    assert made.splitlines() == [
        "name  McastCounter", "size  3,489 B", "crc   0x4dd2", "file  McastCounter.spy",
    ]  # fmt: skip
    assert Path("McastCounter.spy").read_bytes() == make_image("McastCounter", 3489)
    assert call("show", "McastCounter.spy") == (0, made, "")


def test_make_overwrites_only_if_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.spy"
    path.write_text("mine")
    status, out, err = call("make", "ab", "--size", "5", "--out", str(path))
    assert (status, out, path.read_text()) == (2, "", "mine")
    assert f"{path}: exists already" in err
    assert "--force" in err
    assert call("make", "ab", "--size", "5", "--out", str(path), "--force")[0] == 0
    assert path.read_bytes() == SMALL


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ab", "--size", "59905"), "1 to 59904 B"),
        (("a/b", "--size", "5"), "not a script's name"),
        (("ab", "--size", "5", "--out", "no/such/ab.spy"), "no/such/ab.spy: cannot be written"),
        (("ab",), "--size"),
    ],
)
def test_what_cannot_be_made_is_refused(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = call("make", *words)
    assert (status, out) == (2, "")
    assert said in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda _: None, "cannot be read: No such file or directory"),
        (Path.mkdir, "cannot be read: Is a directory"),
        (lambda path: path.write_bytes(SMALL[:-1]), "bytes 8 to 11: the size does not match"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    prepare: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.spy"
    prepare(path)
    status, out, err = call("show", str(path))
    assert (status, out) == (2, "")
    assert f"twin: {path}: {said}" in err
