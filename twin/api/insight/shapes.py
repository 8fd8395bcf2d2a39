"""What goes over the wire: bodies and queries as the document gives them, field for field."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = [
    "AnalysisAsked",
    "DownloadAsked",
    "EventsAsked",
    "NewGateway",
    "NewJobConfig",
    "NewUser",
    "PageAsked",
    "ProvisioningAsked",
    "SignedAsked",
]

Role = Literal["ADMIN_ROLE", "USER_ROLE"]
AssetType = Literal[
    "PGCONNECT_ANDROID_APP", "TRADE_FAIR_DEMO_APP", "INSIGHT_MOBILE_APP", "MARK_FIRMWARE"
]
MOST_ITEMS = 500
_Text = Annotated[str, Field(min_length=1, max_length=256)]
_Given = Annotated[str, Field(min_length=1)]
_Millis = Annotated[int, Field(ge=0, le=253_402_300_799_999)]  # the end of the year 9999


class _Body(BaseModel):
    """A JSON body: its types are taken at their word, what it has beside them is left alone."""

    model_config = ConfigDict(strict=True)


class NewGateway(_Body):
    """The body of ``POST /{customer_id}/gateways``."""

    usecase: _Text
    station: _Text
    name: _Text


class NewUser(_Body):
    """The body of ``POST /{customer_id}/users``."""

    first_name: _Text
    last_name: _Text
    role: Role
    email: Annotated[str, Field(pattern=r"^[!-?A-~]+@[!-?A-~]+$", max_length=254)]


class NewJobConfig(_Body):
    """The body of ``POST /{customer_id}/job-configs``."""

    job_name: _Text
    start_barcode: _Text
    end_barcode: _Text
    gateway_ids: Annotated[list[str], Field(max_length=10_000)]


class AnalysisAsked(_Body):
    """The body of ``POST /{customer_id}/job-analysis``; times since 1970 [ms]."""

    job_config_id: str
    start_time: Annotated[float, Field(ge=0, le=253_402_300_799_999)]
    end_time: Annotated[float, Field(ge=0, le=253_402_300_799_999)]


class ProvisioningAsked(_Body):
    """The body of ``POST /provisioning``."""

    token: str | None = None


class DownloadAsked(_Body):
    """The body of ``POST /{customer_id}/generate-download-url``."""

    eula_version: _Text
    eula_checksum: Annotated[str, Field(pattern=r"^[A-Z0-9]+$", max_length=256)] | None = None
    asset_type: AssetType
    agreed_by: Annotated[str, Field(pattern=r"^[!-?A-~]+@[!-?A-~]+$", max_length=254)]
    asset_version: _Text | None = None


class SignedAsked(BaseModel):
    """The query of a signed URL; when it expires since 1970 [ms]."""

    expires: int = 0
    signature: str = ""


def _whole(value: Any) -> Any:
    """Return what is written as a whole number; Python would take more for one, such as 1_0."""
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise ValueError("is no whole number")
    return value


class PageAsked(BaseModel):
    """The query of a list that comes in pages."""

    next_token: _Given | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_ITEMS)] = MOST_ITEMS

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        if value == "":
            raise ValueError("is empty: leave it out, or give a value")
        return value

    @field_validator("limit", mode="before")
    @classmethod
    def _limit_is_whole(cls, value: Any) -> Any:
        return _whole(value)


class EventsAsked(PageAsked):
    """The query of ``GET /{customer_id}/events``; times since 1970 [ms]."""

    start_time_millis: _Millis | None = None
    end_time_millis: _Millis | None = None
    gateway_id: _Given | None = None

    @field_validator("start_time_millis", "end_time_millis", mode="before")
    @classmethod
    def _times_are_whole(cls, value: Any) -> Any:
        return _whole(value)
