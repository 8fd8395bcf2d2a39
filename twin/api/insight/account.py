"""Feature, User, Device and Device Configuration Calls."""

from typing import Any

import numpy as np

from twin.api.host import Host
from twin.api.http import Answer, ApiError, Call
from twin.api.insight.events import Events
from twin.api.insight.pages import page
from twin.events import FULL_BATTERY
from twin.store.account import User

__all__ = [
    "Devices",
    "create_user",
    "delete_device_config",
    "delete_user",
    "get_device_config",
    "get_user",
    "list_device_configs",
    "list_features",
    "list_users",
    "me",
    "shown_user",
]

_PERMISSIONS = {
    "USER_ROLE": [
        "device.read", "device_config.read", "event.read", "feature.read", "gateway.read",
        "job_analysis.run", "job_config.read",
    ],
    "ADMIN_ROLE": [
        "device.read", "device_config.delete", "device_config.read", "event.read", "feature.read",
        "gateway.create", "gateway.provision", "gateway.read", "job_analysis.run",
        "job_config.create", "job_config.delete", "job_config.read", "user.create", "user.delete",
        "user.read",
    ],
}  # fmt: skip
_ACTIVE_US = 24 * 3600 * 1_000_000
"""A scanner is active that the cloud has heard of within a day: the document does not say [us]."""


def list_features(call: Call) -> Answer:
    """Answer the features of the account."""
    found = call.host.scenario.cloud.features
    return Answer({"features": [
        {"feature": one.feature, "enabled": one.enabled, "additional_properties": {}}
        for one in found
    ]})  # fmt: skip


def me(call: Call) -> Answer:
    """Answer who calls."""
    return Answer(shown_user(call.who))


def list_users(call: Call) -> Answer:
    """Answer all users, in the order in which they came."""
    found = call.host.account.users()
    return page(call, "users", [user.number or 0 for user in found], lambda i: shown_user(found[i]))


def create_user(call: Call) -> Answer:
    """Make a user, who has no password yet and so cannot log in."""
    asked, host = call.body, call.host
    made = host.account.add_user(asked.email, asked.first_name, asked.last_name, asked.role)
    if made is None:
        raise ApiError(409, "User with email already exists.")
    return Answer(shown_user(made))


def get_user(call: Call) -> Answer:
    """Answer one user."""
    found = call.host.account.user(call.params["user_id"])
    if found is None:
        raise ApiError(404, "User not found.")
    return Answer(shown_user(found))


def delete_user(call: Call) -> Answer:
    """Delete a user, whose tokens are worth nothing from then on; nobody deletes themselves."""
    user_id = call.params["user_id"]
    if user_id == call.who.id:
        raise ApiError(403, "Nobody may delete their own user.")
    if not call.host.account.remove_user(user_id):
        raise ApiError(404, "User not found.")
    return Answer()


def shown_user(user: User) -> dict[str, Any]:
    """Return a user as the document shows it; nobody here has consented to anything."""
    return {
        "id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "created": user.created_ms,
        "last_updated": user.updated_ms,
        "language": user.language,
        "roles": [user.role],
        "permissions": _PERMISSIONS[user.role],
        "consent_general_terms": None,
        "consent_privacy_policy": None,
    }


class Devices:
    """The scanners as the cloud knows them: from the last event of each."""

    def __init__(self, events: Events) -> None:
        """Remember where the events are."""
        self._events = events
        self._known = 0
        self._last_us: np.ndarray[Any, np.dtype[np.int64]] | None = None
        self._battery: np.ndarray[Any, np.dtype[np.int64]] | None = None

    def list_devices(self, call: Call) -> Answer:
        """Answer the scanners that the account has, in the order of the fleet."""
        host = call.host
        last_us, battery = self._bring_up(host)
        scanners = host.roster.scanners

        def shown(i: int) -> dict[str, Any]:
            scanner, active_us = scanners[i], int(last_us[i])
            heard = active_us >= 0
            last_ms = (host.origin_us + max(0, active_us)) // 1000
            active = heard and host.now_us - active_us <= _ACTIVE_US
            return {
                "id": scanner.serial,
                "class": "device",
                "created": host.origin_us // 1000,
                "last_activity_time": last_ms if heard else 0,
                "last_updated": last_ms,
                "battery": round(int(battery[i]) * 100 / FULL_BATTERY),
                "firmware": scanner.firmware,
                "model": scanner.model,
                "manufacturer": scanner.manufacturer,
                "status": "ACTIVE" if active else "INACTIVE",
            }

        return page(call, "devices", range(len(scanners)), shown)

    def _bring_up(self, host: Host) -> tuple[Any, Any]:
        """Return the last event of each scanner [us], -1 for none, and its charge then [0.01 %]."""
        if self._last_us is None or self._battery is None:
            self._last_us = np.full(len(host.roster.scanners), -1, np.int64)
            self._battery = np.full(len(host.roster.scanners), FULL_BATTERY, np.int64)
        log = self._events.log(host)
        fresh = host.rows()[log.all_rows()[self._known :]]
        self._known = len(log)
        created_us = fresh["time_us"] - fresh["link_us"]
        later = created_us >= self._last_us[fresh["scanner"]]
        order = np.flatnonzero(later)[np.argsort(created_us[later], kind="stable")]
        # Of several values for one place the last stays.
        self._last_us[fresh["scanner"][order]] = created_us[order]
        self._battery[fresh["scanner"][order]] = fresh["battery"][order]
        return self._last_us, self._battery


def list_device_configs(call: Call) -> Answer:
    """Answer what files for scanners there are."""
    return Answer({"configs": [
        {
            "id": config.id,
            "class": "device_config",
            "name": config.name,
            "last_modified": config.updated_ms,
            "created": config.created_ms,
            "file_size": len(config.text.encode()),
        }
        for config in call.host.account.device_configs()
    ]})  # fmt: skip


def get_device_config(call: Call) -> Answer:
    """Answer one such file."""
    for config in call.host.account.device_configs():
        if config.id == call.params["device_config_id"]:
            return Answer(config.text)
    raise ApiError(404, "No device config file found.")


def delete_device_config(call: Call) -> Answer:
    """Delete one such file; deleting what is not there is answered alike, as documented."""
    call.host.account.remove_device_config(call.params["device_config_id"])
    return Answer()
