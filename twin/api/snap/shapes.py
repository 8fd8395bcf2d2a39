"""What goes over the wire to SNAP Thing Services: bodies and queries, field for field."""

import base64
import binascii
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from twin.scenario import SNAP_PASSWORD

__all__ = [
    "Address",
    "Configuration",
    "DeviceGroup",
    "DevicesAsked",
    "NetworkSettings",
    "NewBatch",
    "NewCollector",
    "NewConfiguration",
    "NewDevice",
    "NewDeviceType",
    "NewImage",
    "NewPassword",
    "NewUpdate",
    "Reference",
]

_ADDRESS = (
    r"^(00[.:]?1[cC][.:]?2[cC][.:]?[0-9a-fA-F]{2}[.:]?[0-9a-fA-F]{2}[.:]?)?"
    r"([0-9a-fA-F][.:]?){5}[0-9a-fA-F]$"
)
_NO_ADDRESS = (
    "A valid SNAP Address must be a hex value of at least 6 digits with optional period or colon "
    "delimiters (ex: a18ca9, 04:3E:82)."
)
_NO_PASSWORD = (
    "Password must be at least 8 characters and include a combination of lower and uppercase "
    "letters, numbers, and symbols."
)
_KEY_BYTES = 16
_DIGITS = 6


def _address(given: str) -> str:
    """Return an address as six digits in lower case: without what all addresses begin with."""
    if not re.fullmatch(_ADDRESS, given, re.ASCII):
        raise PydanticCustomError("address", "{said}", {"said": _NO_ADDRESS})
    return given.replace(".", "").replace(":", "").lower()[-_DIGITS:]


def _password(given: str) -> str:
    """Refuse a password that is too simple."""
    if not re.fullmatch(SNAP_PASSWORD, given, re.ASCII):
        raise PydanticCustomError("password", "{said}", {"said": _NO_PASSWORD})
    return given


def _key(given: str) -> str:
    """Refuse what is not the Base64 text of a key, or of none."""
    try:
        raw = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PydanticCustomError("key", "Not Base64") from error
    if len(raw) not in (0, _KEY_BYTES) or not raw.isascii():
        raise PydanticCustomError("key", "A key has 16 characters of ASCII, or none at all")
    return given


def _once(given: list[str]) -> list[str]:
    """Refuse a list that names something twice."""
    if len(set(given)) < len(given):
        raise PydanticCustomError("once", "Each may be named once")
    return given


def _no_folder(given: str) -> str:
    """Refuse the two names that a path loses on its way."""
    if given in {".", ".."}:
        raise PydanticCustomError("folder", "No name: addresses leave it out")
    return given


_Text = Annotated[str, Field(min_length=1, max_length=256)]
Address = Annotated[
    str,
    AfterValidator(_address),
    Field(json_schema_extra={"pattern": _ADDRESS, "pattern_description": _NO_ADDRESS}),
]


class _Body(BaseModel):
    """A JSON body: its types are taken at their word, what it has beside them is left alone."""

    model_config = ConfigDict(strict=True)


class NewPassword(_Body):
    """The body of ``POST /changePassword``."""

    old: str
    new: Annotated[
        str,
        AfterValidator(_password),
        Field(json_schema_extra={
            "pattern": f"^{SNAP_PASSWORD}$", "pattern_description": _NO_PASSWORD
        }),
    ]  # fmt: skip


class NetworkSettings(_Body):
    """The body of ``PUT /network``."""

    channel: Annotated[int, Field(ge=0, le=15)]
    networkId: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{4}$")]
    featureBits: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{4}$")]
    encryptionType: Literal["None", "AES-128", "Basic"]
    encryptionKey: Annotated[str, AfterValidator(_key), Field(max_length=64)]


class NewCollector(_Body):
    """The body of ``POST /dc`` and of ``PUT /dc/{name}/config``."""

    name: Annotated[
        str,
        AfterValidator(_no_folder),
        Field(min_length=1, max_length=64, pattern=r"^[^/\x00-\x1f]+$"),
    ]
    deviceTypes: Annotated[list[_Text], AfterValidator(_once), Field(max_length=1000)]
    pollInterval: Annotated[int, Field(ge=1, le=31_536_000)]
    queryFunction: _Text


class DevicesAsked(BaseModel):
    """The query of ``GET /devices``."""

    expand: Annotated[str, Field(pattern=r"^((firmware|image)(,(firmware|image))*)?$")] = ""
    type: str | None = None


class NewDevice(_Body):
    """The body of ``POST /devices`` and of ``PUT /devices/{deviceId}``."""

    addr: Address
    description: _Text
    platform: _Text
    deviceType: _Text


class NewBatch(_Body):
    """The body of ``POST /devices/batches``."""

    devices: Annotated[list[NewDevice], Field(max_length=65_536)]


class NewDeviceType(_Body):
    """The body of ``POST /deviceTypes`` and of ``PUT /deviceTypes/{deviceTypeId}``."""

    description: _Text


class NewImage(_Body):
    """The body of ``POST /images``: the Base64 text of a SPY file."""

    content: Annotated[str, Field(min_length=1)]


class Reference(_Body):
    """Where something is to be found."""

    href: Annotated[str, Field(min_length=1, max_length=2000)]


class Configuration(_Body):
    """What a group of devices is to run; what is left out stays."""

    image: Reference | None = None
    firmware: Reference | None = None


class DeviceGroup(_Body):
    """A group of devices, and what each of them is to run."""

    devices: Annotated[list[Address], AfterValidator(_once), Field(max_length=65_536)]
    configuration: Configuration = Configuration()


class NewConfiguration(_Body):
    """The body of ``POST /networkConfigurations``."""

    deviceGroupConfigurations: Annotated[list[DeviceGroup], Field(max_length=1000)]


class NewUpdate(_Body):
    """The body of ``POST /networkConfigurationUpdates``."""

    href: Annotated[str, Field(min_length=1, max_length=2000)]
