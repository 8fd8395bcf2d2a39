"""The `[cloud]` section: the customer's account and how long until a scan is visible there."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from twin import units
from twin.scenario.base import Finding, Part, refuse
from twin.scenario.laws import Law
from twin.scenario.quantities import Quantity

__all__ = ["Asset", "Cloud", "DeviceConfig", "Feature", "User"]


_Email = Annotated[
    str,
    Field(
        pattern=r"^[!-?A-~]+@[!-?A-~]+$", max_length=254, description="an address with an @ in it"
    ),
]
_Word = Annotated[str, Field(min_length=1, max_length=100)]


class User(Part):
    """Somebody who can log in to the account; the password is only good for the twin."""

    model_config = ConfigDict(str_strip_whitespace=False)

    first_name: _Word
    last_name: _Word
    email: _Email
    password: Annotated[str, Field(min_length=8, max_length=100)]
    role: Literal["ADMIN_ROLE", "USER_ROLE"]


class Feature(Part):
    """A feature of the account that is not everybody's."""

    feature: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
    enabled: bool


class DeviceConfig(Part):
    """A file for scanners, as the account holds it."""

    model_config = ConfigDict(str_strip_whitespace=False)

    name: Annotated[
        str,
        Field(
            pattern=r"^\w[\w .\-]*$",
            max_length=64,
            description="a file name of letters, digits, blanks, dots, - and _, at most 64",
        ),
    ]
    text: Annotated[str, Field(max_length=100_000)]


def _usual_users() -> tuple[User, ...]:
    """Give an account its first two users: who may do everything, and who may look."""
    return (
        User(first_name="Ada", last_name="Admin", email="admin@example.com",
             password="admin-of-the-twin", role="ADMIN_ROLE"),
        User(first_name="Uwe", last_name="User", email="user@example.com",
             password="user-of-the-twin", role="USER_ROLE"),
    )  # fmt: skip


class Asset(Part):
    """Something to download: an app or a firmware; its text stands for the bytes."""

    model_config = ConfigDict(str_strip_whitespace=False)

    asset_type: Literal[
        "PGCONNECT_ANDROID_APP", "TRADE_FAIR_DEMO_APP", "INSIGHT_MOBILE_APP", "MARK_FIRMWARE"
    ]
    version: Annotated[str, Field(pattern=r"^\d{1,6}(\.\d{1,6}){0,3}$", description="like 1.1.0")]
    text: Annotated[str, Field(min_length=1, max_length=100_000)]


class Cloud(Part):
    """The account, the delay of a scan, and the telemetry period [us], None when off.

    Without `users` it has an admin and a plain user.
    """

    customer_id: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
            max_length=64,
            description="letters, digits, - and _, at most 64",
        ),
    ]
    delay: Law
    telemetry_period_us: Annotated[
        int | None, Quantity(units.DURATION, at_least="1 s", at_most="7 d", or_off=True)
    ]
    users: tuple[User, ...] = Field(default_factory=_usual_users)
    features: tuple[Feature, ...] = ()
    device_configs: tuple[DeviceConfig, ...] = ()
    assets: tuple[Asset, ...] = ()

    @model_validator(mode="after")
    def _one_of_each_name(self) -> Self:
        findings = []
        named = (
            ("users", "email", [user.email.lower() for user in self.users]),
            ("features", "feature", [feature.feature for feature in self.features]),
            ("device_configs", "name", [config.name for config in self.device_configs]),
            ("assets", "version", [f"{one.asset_type} {one.version}" for one in self.assets]),
        )
        for key, field, names in named:
            twice = sorted({name for name in names if names.count(name) > 1})
            findings += [Finding(key, f"two have the same {field}", n, "each once") for n in twice]
        if self.users and not any(user.role == "ADMIN_ROLE" for user in self.users):
            what, allowed = "nobody may administrate", "at least one with role ADMIN_ROLE"
            findings.append(Finding("users", what, f"{len(self.users)} users", allowed))
        refuse(findings)
        return self
