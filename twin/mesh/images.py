"""What nodes can be given over the air: images of scripts (SPY files), and firmware.

The vendor's SPY format is not published. Ours has the fields that his service shows, numbers with
the most significant byte first:

    offset   bytes  what
    0        4      magic, the letters TSPY
    4        1      version of the format, 1
    5        1      length n of the name, 1 to 64
    6        n      name: printable ASCII without slashes
    6 + n    4      size of the script in bytes
    10 + n   2      CRC of name and script
    12 + n   size   the script

The CRC is CRC-16/CCITT-FALSE: polynomial 0x1021, begun with 0xFFFF, nothing reflected, nothing
added at the end; of the text 123456789 it is 0x29B1. The name is under it because it is compiled
into a script, so that no single wrong byte of a file goes unnoticed.
"""

from __future__ import annotations

import re
from binascii import crc_hqx
from dataclasses import dataclass
from functools import cached_property
from hashlib import shake_256

from twin.errors import ImageError
from twin.scenario import NODE_PLATFORM, node_platform

__all__ = [
    "MAGIC",
    "VERSION",
    "Firmware",
    "Image",
    "chunk_count",
    "crc_16",
    "firmware",
    "make_image",
    "read_image",
    "script_of",
]

MAGIC = b"TSPY"
VERSION = 1
_HEADER = 12  # bytes of the header without the name
_LONGEST_NAME = 64
_SHORTEST = _HEADER + 2  # a name and a script of one byte each
_NAME = re.compile(rf"[ -.0-\[\]-~]{{1,{_LONGEST_NAME}}}")  # a slash would lead out of a folder
_NAMES = f"1 to {_LONGEST_NAME} printable ASCII characters without slashes"


@dataclass(frozen=True)
class Image:
    """A script as nodes get it: its name, and its bytes as `body`."""

    name: str
    body: bytes

    @property
    def size_bytes(self) -> int:
        """How long the script is [B]."""
        return len(self.body)

    @cached_property
    def crc(self) -> int:
        """CRC-16/CCITT-FALSE of name and script."""
        return crc_16(self.name.encode("ascii") + self.body)

    @property
    def script(self) -> str:
        """What a node says that runs it; see ``script_of``."""
        return script_of(self.name, self.crc)

    @property
    def crc_text(self) -> str:
        """The CRC as the service writes it: 0xda95."""
        return f"0x{self.crc:04x}"


@dataclass(frozen=True)
class Firmware:
    """A package of firmware for a platform; its `size_bytes` go over the air [B]."""

    platform: str
    version: str
    size_bytes: int


def script_of(name: str, crc: int) -> str:
    """Return what a node says that it runs: the name of a script and its CRC."""
    return f"{name} 0x{crc:04x}"


def crc_16(data: bytes) -> int:
    """Return the CRC-16/CCITT-FALSE of some bytes."""
    return crc_hqx(data, 0xFFFF)


def chunk_count(size_bytes: int, chunk_bytes: int) -> int:
    """Return how many chunks carry an image or a firmware; the last may be shorter.

    Parameters
    ----------
    size_bytes, chunk_bytes
        How long the whole is, and a chunk at most [B].
    """
    return -(-size_bytes // chunk_bytes)


def firmware(platform: str, version: str) -> Firmware:
    """Return a known package of firmware; `data/platforms.toml` has them.

    Parameters
    ----------
    platform, version
        Like "RF200" and "2.7.1".

    Raises
    ------
    ScenarioError
        There is no such platform; it names those that there are.
    ImageError
        The platform has no such version; it names those that it has.
    """
    known = node_platform(platform)
    if version not in known.firmware_versions:
        raise ImageError(
            "no such firmware",
            where=platform,
            given=repr(version),
            allowed=", ".join(known.firmware_versions),
        )
    return Firmware(platform, version, known.firmware_size_bytes)


# --- writing -----------------------------------------------------------------


def make_image(name: str, size_bytes: int) -> bytes:
    """Return a SPY file of a made-up script: the same name and size give the same bytes.

    Parameters
    ----------
    name
        What the script is called: 1 to 64 printable ASCII characters without slashes.
    size_bytes
        How long the script is, 1 to what a node has room for [B].

    Raises
    ------
    ImageError
        Such a name or size cannot be.
    """
    if not _NAME.fullmatch(name):
        raise ImageError("not a script's name", where="name", given=repr(name), allowed=_NAMES)
    if type(size_bytes) is not int or not 1 <= size_bytes <= _script_space():
        raise _no_such_size(size_bytes, "size")
    # Spread evenly over all values, as what the vendor exports nearly is.
    body = shake_256(f"{name}/{size_bytes}".encode()).digest(size_bytes)
    return _written(Image(name, body))


def _written(image: Image) -> bytes:
    name = image.name.encode("ascii")
    head = MAGIC + bytes((VERSION, len(name))) + name
    return head + image.size_bytes.to_bytes(4) + image.crc.to_bytes(2) + image.body


# --- reading -----------------------------------------------------------------


def read_image(data: bytes, file: str = "") -> Image:
    """Return the image that a SPY file of ours holds.

    Parameters
    ----------
    data
        The bytes of the file.
    file
        What messages call it.

    Raises
    ------
    ImageError
        It is no such file, or a damaged one: says what is wrong, where, and what should be there.
    """
    try:
        return _read(data)
    except ImageError as error:
        raise error.of(file) from None


def _read(data: bytes) -> Image:
    _check_beginning(data)
    end = 6 + data[5]
    if len(data) < end + 6 + 1:
        raise _too_short(data, end + 6 + 1)
    name = data[6:end].decode("latin-1")
    if not _NAME.fullmatch(name):
        raise ImageError(
            "not a script's name", where=_bytes(6, end), given=repr(name), allowed=_NAMES
        )
    image = Image(name, data[end + 6 :])
    _check_size(image, int.from_bytes(data[end : end + 4]), _bytes(end, end + 4))
    crc = data[end + 4 : end + 6]
    if crc != image.crc.to_bytes(2):
        raise ImageError(
            "the CRC does not match: the file is damaged",
            where=_bytes(end + 4, end + 6),
            given=f"0x{crc.hex()}",
            allowed=f"{image.crc_text}, that of its name and script",
        )
    return image


def _check_beginning(data: bytes) -> None:
    """Refuse what cannot be the first six bytes, or too few of them."""
    if not data.startswith(MAGIC[: len(data)]):
        raise ImageError(
            "not a SPY file of the twin",
            where=_bytes(0, len(MAGIC)),
            given=data[: len(MAGIC)].hex(" "),
            allowed=f"{MAGIC.hex(' ')} ({MAGIC.decode()})",
            hint="make one with: twin image make (the vendor's own format is not published)",
        )
    if len(data) < _SHORTEST:
        raise _too_short(data, _SHORTEST)
    if data[4] != VERSION:
        raise ImageError(
            "unknown version of the format",
            where="byte 4",
            given=f"{data[4]}",
            allowed=f"{VERSION}",
        )
    if not 1 <= data[5] <= _LONGEST_NAME:
        raise ImageError(
            "the name cannot be so long",
            where="byte 5",
            given=str(data[5]),
            allowed=f"1 to {_LONGEST_NAME}",
        )


def _check_size(image: Image, said: int, where: str) -> None:
    """Refuse a script that no node has room for, or that is not as long as the file says."""
    if not 1 <= said <= _script_space():
        raise _no_such_size(said, where)
    if said != image.size_bytes:
        raise ImageError(
            "the size does not match: the file is cut off or goes on after its end",
            where=where,
            given=f"{said:,} B",
            allowed=f"{image.size_bytes:,} B, which follow the header",
        )


def _script_space() -> int:
    return node_platform(NODE_PLATFORM).script_space_bytes


def _no_such_size(size: object, where: str) -> ImageError:
    return ImageError(
        "no script that a node has room for",
        where=where,
        given=f"{size} B",
        allowed=f"1 to {_script_space()} B, the script space of an {NODE_PLATFORM}",
    )


def _too_short(data: bytes, least: int) -> ImageError:
    return ImageError(
        "too short: it ends before its script",
        where=f"byte {len(data)}",
        given=f"{len(data)} B",
        allowed=f"at least {least} B",
    )


def _bytes(first: int, end: int) -> str:
    return f"bytes {first} to {end - 1}"
