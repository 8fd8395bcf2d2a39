"""How each status of each operation of SNAP Thing Services is reached."""

import base64
from collections.abc import Callable
from itertools import count
from typing import Any

from twin.api.cases import UNKNOWN_ID, Case, Own, cases_of, encoded, made_by
from twin.api.http import Operation, Request
from twin.api.snap.seen import API
from twin.mesh.images import make_image

__all__ = ["snap_cases"]

_FAR_FUTURE = "2099-12-31"
_US_PER_MIN = 60_000_000
_numbers = count(1)
"""Names and addresses that are made here are never made twice."""
_Make = Callable[[Any], Request]


def snap_cases(operations: tuple[Operation, ...]) -> list[Case]:
    """Return a case for every documented status that there is a way to.

    Parameters
    ----------
    operations
        The table of the API.
    """
    own = {name.replace(" ", f" {API}", 1): rows for name, rows in _OWN.items()}
    return cases_of(operations, own | _SOCKETS)


# --- ways to ask ----------------------------------------------------------------------------------


def _ask(t: Any, method: str, path: str, body: object = None) -> Request:
    """Return a request of the scenario's first user."""
    headers = _credentials(t) | {"content-type": "application/json"}
    return Request(method, f"{API}{path}", "", headers, encoded(body))


def _credentials(t: Any) -> dict[str, str]:
    """Return the header that says who calls."""
    who = f"{t.snap_user}:{t.snap_password}".encode()
    return {"authorization": f"Basic {base64.b64encode(who).decode()}"}


def _socket(path: str) -> _Make:
    """Return what asks for a socket."""
    return lambda t: Request("GET", path, headers=_credentials(t) | {"upgrade": "websocket"})


def _sent(method: str, path: str, body: object = None) -> _Make:
    """Return what asks for something that needs nothing to be there."""
    return lambda t: _ask(t, method, path, body)


def _made(t: Any, path: str, body: object) -> dict[str, Any]:
    """Return what was made by a request."""
    return dict(made_by(t.snap_api, _ask(t, "POST", path, body))["data"])


def _got(t: Any, path: str) -> Any:
    """Return what is there."""
    return made_by(t.snap_api, _ask(t, "GET", path))["data"]


def _begun(t: Any, path: str, body: object = None) -> str:
    """Return the path of a task that was begun."""
    answer = t.snap_api.dispatch(_ask(t, "POST", path, body))
    assert answer.status == 202, answer.body
    return str(answer.headers["Location"]).rpartition(API)[2]


def _one(path: str, key: str, method: str, new: Callable[[Any], object], tail: str = "") -> _Make:
    """Return what makes one of something and then asks for it by its id, with a body as for it."""

    def make(t: Any) -> Request:
        made = _made(t, path, new(t))
        body = new(t) if method == "PUT" else None
        return _ask(t, method, f"{path}/{made[key]}{tail}", body)

    return make


def _again(path: str, new: Callable[[Any], object]) -> _Make:
    """Return what makes something and asks for the same once more."""

    def make(t: Any) -> Request:
        body = new(t)
        _made(t, path, body)
        return _ask(t, "POST", path, body)

    return make


def _as_another(path: str, new: Callable[[Any], object]) -> _Make:
    """Return what makes two of something and asks that the second be as the first."""

    def make(t: Any) -> Request:
        body = new(t)
        _made(t, path, body)
        return _ask(t, "PUT", f"{path}/{_made(t, path, new(t))['id']}", body)

    return make


# --- what is made ---------------------------------------------------------------------------------


def _type_name(t: Any) -> str:
    """Return the name of a type of devices that there is."""
    types = _got(t, "/deviceTypes") or [_made(t, "/deviceTypes", _new_type(t))]
    return str(types[0]["description"])


def _new_type(_: Any) -> dict[str, Any]:
    return {"description": f"Type of a case {next(_numbers)}"}


def _new_device(t: Any) -> dict[str, Any]:
    """Return a device that no node is."""
    taken = {node.address.lower() for node in t.network.nodes}
    addr = next(text for n in _numbers if (text := f"{n:06x}") not in taken)
    return {"deviceType": _type_name(t), "description": "Of a case", "addr": addr,
            "platform": "RF200"}  # fmt: skip


def _new_batch(t: Any) -> dict[str, Any]:
    return {"devices": [_new_device(t), _new_device(t)]}


def _new_collector(t: Any) -> dict[str, Any]:
    name = f"dc{next(_numbers)}"
    return {"deviceTypes": [_type_name(t)], "name": name, "pollInterval": 3600,
            "queryFunction": "data"}  # fmt: skip


def _new_image(_: Any) -> dict[str, Any]:
    content = make_image(f"case-{next(_numbers)}", 64)
    return {"content": base64.b64encode(content).decode()}


def _devices(number: int) -> Callable[[Any], dict[str, Any]]:
    """Return what makes a network configuration of so many devices, of which no node is one."""

    def new(t: Any) -> dict[str, Any]:
        made = [_made(t, "/devices", _new_device(t))["addr"] for _ in range(number)]
        image = {"href": _made(t, "/images", _new_image(t))["href"]}
        group = {"configuration": {"image": image}, "devices": made}
        return {"deviceGroupConfigurations": [group]}

    return new


def _unknown_device(_: Any) -> dict[str, Any]:
    group = {"configuration": {}, "devices": ["fffffe"]}
    return {"deviceGroupConfigurations": [group]}


def _update(new: Callable[[Any], object]) -> _Make:
    """Return what makes a network configuration and asks for an update with it, on trial."""

    def make(t: Any) -> Request:
        made_by(t.snap_api, _ask(t, "DELETE", "/license"))
        made = _made(t, "/networkConfigurations", new(t))
        return _ask(t, "POST", "/networkConfigurationUpdates", {"href": made["href"]})

    return make


def _batch(t: Any) -> Request:
    href = _made(t, "/devices/batches", _new_batch(t))["href"]
    return _ask(t, "GET", href.rpartition(API)[2])


def _updated(t: Any) -> str:
    """Return the path of a task that is over: what no node is fails at once."""
    request = _update(_devices(1))(t)
    answer = t.snap_api.dispatch(request)
    return str(answer.headers["Location"]).rpartition(API)[2]


def _results(t: Any) -> Request:
    answer = t.snap_api.dispatch(_ask(t, "GET", _updated(t)))
    return _ask(t, "GET", answer.headers["Location"].rpartition(API)[2])


def _topology(method: str, path: str) -> _Make:
    """Return what asks for a topology; where there is none yet, a survey finds one."""

    def make(t: Any) -> Request:
        if not _got(t, "/topologies"):
            task = _ask(t, "GET", _begun(t, "/topologies"))
            while t.snap_api.dispatch(task).status == 200:
                t.run_to_us(t.now_us + _US_PER_MIN, progress=False)
        return _ask(t, method, path)

    return make


def _same_settings(t: Any) -> Request:
    return _ask(t, "PUT", "/network", _got(t, "/network")["actual_settings"])


def _password(new: str) -> _Make:
    """Return what asks for another password of the scenario's first user."""
    return lambda t: _ask(t, "POST", "/changePassword", {"old": t.snap_password, "new": new})


def _same_password(t: Any) -> Request:
    return _password(t.snap_password)(t)


def _licence(t: Any) -> Request:
    return _ask(t, "PUT", "/license", {"license": t.make_licence("Cases", _FAR_FUTURE)})


def _unknown_type(new: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Return what makes a device of a type that there is not."""
    return lambda t: new(t) | {"deviceType": f"No type {next(_numbers)}"}


_CONFIGURATION = _devices(1)
_NOBODY = f"/devices/{10**9}"
_UNKNOWN = f"/{UNKNOWN_ID}"
_OWN: dict[str, list[Own]] = {
    "POST /changePassword": [
        (200, "the same once more", _same_password),
        (400, "too simple", _password("password")),
    ],
    "GET /backup": [(200, "as it is", _sent("GET", "/backup"))],
    "GET /network": [(200, "as it is", _sent("GET", "/network"))],
    "PUT /network": [
        (200, "what the bridge has", _same_settings),
        (400, "an empty body", _sent("PUT", "/network", {})),
    ],
    "GET /dc": [(200, "as it is", _sent("GET", "/dc"))],
    "POST /dc": [
        (201, "a new name", lambda t: _ask(t, "POST", "/dc", _new_collector(t))),
        (409, "the same twice", _again("/dc", _new_collector)),
    ],
    "DELETE /dc/{name}": [
        (204, "one just made", _one("/dc", "name", "DELETE", _new_collector)),
        (404, "an unknown name", _sent("DELETE", f"/dc{_UNKNOWN}")),
    ],
    "GET /dc/{name}/config": [
        (200, "one just made", _one("/dc", "name", "GET", _new_collector, "/config")),
    ],
    "PUT /dc/{name}/config": [
        (200, "one just made", _one("/dc", "name", "PUT", _new_collector, "/config")),
    ],
    "PUT /license": [(200, "one just issued", _licence)],
    "DELETE /license": [(204, "a licence or none", _sent("DELETE", "/license"))],
    "GET /licenseCapabilities": [(200, "as it is", _sent("GET", "/licenseCapabilities"))],
    "GET /devices": [(200, "as it is", _sent("GET", "/devices"))],
    "POST /devices": [
        (201, "a new address", lambda t: _ask(t, "POST", "/devices", _new_device(t))),
        (400, "an empty body", _sent("POST", "/devices", {})),
        (404, "an unknown type",
         lambda t: _ask(t, "POST", "/devices", _unknown_type(_new_device)(t))),
        (409, "the same twice", _again("/devices", _new_device)),
    ],
    "GET /devices/{deviceId}": [
        (200, "one just made", _one("/devices", "id", "GET", _new_device)),
        (404, "an unknown id", _sent("GET", _NOBODY)),
    ],
    "PUT /devices/{deviceId}": [
        (200, "one just made", _one("/devices", "id", "PUT", _new_device)),
        (400, "an empty body", _sent("PUT", _NOBODY, {})),
        (404, "an unknown id", lambda t: _ask(t, "PUT", _NOBODY, _new_device(t))),
        (409, "the address of another", _as_another("/devices", _new_device)),
    ],
    "DELETE /devices/{deviceId}": [
        (204, "one just made", _one("/devices", "id", "DELETE", _new_device)),
        (404, "an unknown id", _sent("DELETE", _NOBODY)),
    ],
    "POST /devices/batches": [
        (201, "two addresses", lambda t: _ask(t, "POST", "/devices/batches", _new_batch(t))),
        (400, "devices without anything", _sent("POST", "/devices/batches", {"devices": [{}]})),
        (404, "an unknown type", lambda t: _ask(
            t, "POST", "/devices/batches", {"devices": [_unknown_type(_new_device)(t)]})),
        (409, "the same twice", _again("/devices/batches", _new_batch)),
    ],
    "GET /devices/batches/{batchId}": [
        (200, "one just made", _batch),
        (404, "an unknown id", _sent("GET", f"/devices/batches{_UNKNOWN}")),
    ],
    "GET /deviceTypes": [(200, "as it is", _sent("GET", "/deviceTypes"))],
    "POST /deviceTypes": [
        (201, "a new name", lambda t: _ask(t, "POST", "/deviceTypes", _new_type(t))),
        (409, "the same twice", _again("/deviceTypes", _new_type)),
    ],
    "GET /deviceTypes/{deviceTypeId}": [
        (200, "one just made", _one("/deviceTypes", "id", "GET", _new_type)),
    ],
    "PUT /deviceTypes/{deviceTypeId}": [
        (200, "one just made", _one("/deviceTypes", "id", "PUT", _new_type)),
        (404, "an unknown id", lambda t: _ask(t, "PUT", "/deviceTypes/0", _new_type(t))),
        (409, "the name of another", _as_another("/deviceTypes", _new_type)),
    ],
    "DELETE /deviceTypes/{deviceTypeId}": [
        (204, "one just made", _one("/deviceTypes", "id", "DELETE", _new_type)),
        (404, "an unknown id", _sent("DELETE", "/deviceTypes/0")),
    ],
    "GET /firmware": [(200, "as it is", _sent("GET", "/firmware"))],
    "GET /firmware/{firmwareVersion}": [
        (200, "the first that there is",
         lambda t: _ask(t, "GET", f"/firmware/{t.scenario.snap.firmware[0]}")),
        (404, "an unknown version", _sent("GET", "/firmware/0.0.0")),
    ],
    "GET /images": [(200, "as it is", _sent("GET", "/images"))],
    "POST /images": [
        (201, "a new image", lambda t: _ask(t, "POST", "/images", _new_image(t))),
    ],
    "DELETE /images": [(204, "as it is", _sent("DELETE", "/images"))],
    "GET /images/{imageId}": [
        (200, "one just made", _one("/images", "id", "GET", _new_image)),
        (404, "an unknown id", _sent("GET", f"/images{_UNKNOWN}")),
    ],
    "DELETE /images/{imageId}": [
        (204, "one just made", _one("/images", "id", "DELETE", _new_image)),
        (404, "an unknown id", _sent("DELETE", f"/images{_UNKNOWN}")),
    ],
    "GET /moduleTypes": [(200, "as it is", _sent("GET", "/moduleTypes"))],
    "GET /networkConfigurations": [
        (200, "as it is", _sent("GET", "/networkConfigurations")),
    ],
    "POST /networkConfigurations": [
        (201, "of a device just made",
         lambda t: _ask(t, "POST", "/networkConfigurations", _CONFIGURATION(t))),
    ],
    "GET /networkConfigurations/{networkConfigurationId}": [
        (200, "one just made", _one("/networkConfigurations", "id", "GET", _CONFIGURATION)),
        (404, "an unknown id", _sent("GET", f"/networkConfigurations{_UNKNOWN}")),
    ],
    "POST /networkConfigurationUpdates": [
        (202, "a device just made", _update(_CONFIGURATION)),
        (400, "an unknown device", _update(_unknown_device)),
        (403, "two devices on trial", _update(_devices(2))),
        (404, "an unknown configuration",
         _sent("POST", "/networkConfigurationUpdates", {"href": f"{API}{_UNKNOWN}"})),
    ],
    "GET /networkConfigurationUpdates/{networkConfigurationUpdateId}": [
        (200, "of an update that is over", _results),
        (404, "an unknown id", _sent("GET", f"/networkConfigurationUpdates{_UNKNOWN}")),
    ],
    "GET /tasks/{taskId}": [
        (200, "a survey just begun", lambda t: _ask(t, "GET", _begun(t, "/topologies"))),
        (303, "an update that is over", lambda t: _ask(t, "GET", _updated(t))),
        (404, "an unknown id", _sent("GET", f"/tasks{_UNKNOWN}")),
    ],
    "GET /topologies": [(200, "one just found", _topology("GET", "/topologies"))],
    "POST /topologies": [(202, "as it is", _sent("POST", "/topologies"))],
    "DELETE /topologies": [(204, "as it is", _sent("DELETE", "/topologies"))],
    "GET /topologies/{topologyId}": [
        (200, "the latest", _topology("GET", "/topologies/latest")),
        (404, "an unknown id", _sent("GET", f"/topologies{_UNKNOWN}")),
    ],
    "DELETE /topologies/{topologyId}": [
        (204, "the latest", _topology("DELETE", "/topologies/latest")),
        (404, "an unknown id", _sent("DELETE", f"/topologies{_UNKNOWN}")),
    ],
}  # fmt: skip
_SOCKETS: dict[str, list[Own]] = {
    "GET /ws": [(200, "as it is", _socket("/ws"))],
    "GET /ws/websocket": [(200, "a wish to upgrade", _socket("/ws/websocket"))],
}
