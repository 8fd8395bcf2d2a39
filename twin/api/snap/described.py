"""What OpenAPI says of SNAP Thing Services beside the table of operations.

The examples are those of the document, letter for letter. A task is only named by the Location of
the answer that began it, which no link of OpenAPI can take an id from, so none leads there.
"""

from collections.abc import Mapping
from typing import Any

from twin.api.openapi import Described, Link
from twin.api.snap import answers
from twin.api.snap.administration import FILE_NAME
from twin.api.snap.seen import API, BASE_URL, UNKNOWN

__all__ = ["DESCRIBED", "EXAMPLES", "LINKS"]

_BODY = 0


def _at(path: str) -> str:
    """Return the address of something."""
    return f"{BASE_URL}{API}{path}"


def _data(found: object) -> dict[str, object]:
    """Return what an answer carries."""
    return {"data": found}


def _said(message: object) -> dict[str, object]:
    """Return the body of an error."""
    return {"error": {"message": message}}


# --- what the document shows, in its order --------------------------------------------------------

_SETTINGS = {
    "networkId": "0x3ab3", "featureBits": "0x001f", "channel": 10,
    "encryptionKey": "YWFhYWJiYmJjY2NjZGRkZA==", "encryptionType": "AES-128",
}  # fmt: skip
_NEW_COLLECTOR = {
    "deviceTypes": ["sensors"], "name": "dc1", "pollInterval": 60, "queryFunction": "data",
}  # fmt: skip
_COLLECTOR = _NEW_COLLECTOR | {"href": _at("/dc/dc1"), "id": 1}
_IMAGE_ID = "6f992502-33f0-47d4-a01e-973593e1915d"
_OTHER_IMAGE_ID = "f97fdf18-fede-4d58-96d4-eb3f36b4b872"
_NEW_DEVICE = {
    "deviceType": "Deck1", "description": "Device1", "addr": "ccddee", "platform": "RF200",
}  # fmt: skip


def _new(number: int, addr: str, description: str) -> dict[str, Any]:
    """Return a device of which nobody knows yet what it runs."""
    return _NEW_DEVICE | {
        "upgrading": False, "addr": addr, "description": description,
        "firmware": {"href": UNKNOWN}, "image": {"href": UNKNOWN},
        "href": _at(f"/devices/{number}"), "id": number,
    }  # fmt: skip


_MADE = _new(6, "ccddee", "Device1")
_DEVICE = {
    "upgrading": False, "addr": "aabbcc", "firmware": {"href": _at("/firmware/2.7.1")},
    "platform": "RF200", "description": "test", "href": _at("/devices/2"), "deviceType": "Deck1",
    "id": 2, "image": {"href": _at(f"/images/{_IMAGE_ID}")},
}  # fmt: skip
_BATCH = {
    "devices": [_new(6, "60866a", "Device1"), _new(7, "608477", "Device2")],
    "href": _at("/devices/batches/b38baa5f-ce28-41a3-9bdd-4a14934e826c"),
}
_NEW_BATCH = {
    "devices": [
        _NEW_DEVICE | {"addr": "60866a"},
        _NEW_DEVICE | {"addr": "608477", "description": "Device2"},
    ]
}
_NEW_TYPE = {"description": "Some Device Type"}
_TYPE = _NEW_TYPE | {"id": 1, "href": _at("/deviceTypes/1")}


def _firmware(version: str) -> dict[str, str]:
    """Return a firmware package."""
    return {"version": version, "href": _at(f"/firmware/{version}")}


_IMAGE = {
    "name": "McastCounter", "size": 3489, "id": _IMAGE_ID, "href": _at(f"/images/{_IMAGE_ID}"),
    "crc": "0xda95",
}  # fmt: skip
_BLINK = {
    "name": "blink", "size": 690, "id": _OTHER_IMAGE_ID, "href": _at(f"/images/{_OTHER_IMAGE_ID}"),
    "crc": "0x16f1",
}  # fmt: skip


def _groups(*groups: tuple[str, list[str]]) -> dict[str, Any]:
    """Return a network configuration: images, and the devices that each is for."""
    return {"deviceGroupConfigurations": [
        {"configuration": {"image": {"href": _at(f"/images/{image}")}}, "devices": devices}
        for image, devices in groups
    ]}  # fmt: skip


def _configuration(found: str, groups: dict[str, Any]) -> dict[str, Any]:
    """Return a network configuration that was made."""
    return groups | {"id": found, "href": _at(f"/networkConfigurations/{found}")}


_NEW_CONFIGURATION = _groups(
    (_IMAGE_ID, ["03cd71", "04ab44"]),
    ("4a2fd398-3a66-49c0-9126-98c901cd6ee4", ["00a400", "040128"]),
)
_CONFIGURATION = _configuration("7e968754-78f0-09f8-b57b-968745b2789e", _NEW_CONFIGURATION)
_OTHER_CONFIGURATION = _configuration("c5fe2546-78f0-09f8-b57b-968745b2789e", _groups(
    ("4d271412-33f0-47d4-a01e-973593e1915d", ["082614", "7531df"]),
    ("9e524135-3a66-49c0-9126-98c901cd6ee4", ["04abaf", "604def"]),
))  # fmt: skip
_UPDATE_ID = "9496aed3-1614-4207-8883-2c807958d940"
_RESULTS = {
    "firmware_results": [
        {"result": "failure", "address": "60866a"}, {"result": "success", "address": "608477"},
    ],
    "id": _UPDATE_ID,
    "href": _at(f"/networkConfigurationUpdates/{_UPDATE_ID}"),
    "image_results": [
        {"result": "success", "address": "60866a"}, {"result": "success", "address": "608477"},
    ],
}  # fmt: skip
_TASK_ID = "8ba8d8bd-edeb-4960-bb05-87c75697bf6d"
_TOPOLOGY_ID = "525a2d06-bfa4-4ad5-b3a1-c614bc367d9c"
_TOPOLOGY = {
    "links": [
        {"end": "5ecad4", "linkQuality": 71, "start": "608509"},
        {"end": "608509", "linkQuality": 68, "start": "5ecad4"},
    ],
    "id": _TOPOLOGY_ID,
    "createdAt": "2016-07-27T13:57:43.361554Z",
    "href": _at(f"/topologies/{_TOPOLOGY_ID}"),
    "gateways": ["608509"],
}
_CAPABILITIES = {
    "customer": "John Smith", "siteDirector": True, "dataCollector": True,
    "types": ["manage", "deploy"], "expiration": "2020-02-05", "siteDoctor": True,
}  # fmt: skip
_NO_BACKUP = "Unable to backup the database. Please check the server logs for more information."
_NO_PASSWORD = (
    "Password must be at least 8 characters and include a combination of lower and uppercase "
    "letters, numbers, and symbols."
)
_NOT_LICENSED = (
    "Your license only permits upgrading one device at a time. Please contact your sales "
    "representative to discuss upgrading your license to support upgrading multiple device at the "
    "same time."
)
_MISSING = _said("The following properties are required: addr, description, platform, deviceType")
_NO_DEVICE, _NO_TYPE = _said("Device could not be found"), _said("Device type could not be found")
_NO_IMAGE, _NO_TOPOLOGY = _said("Image could not be found"), _said("Topology could not be found")
_NO_CONFIGURATION = _said("Network configuration could not be found")
_NO_RESULTS = _said("Network configuration update results could not be found")
_NO_COLLECTOR = _said("Data collector could not be found")
_TAKEN_ADDRESS = _said("A device with this address already exists")
_TAKEN_TYPE = _said("A device type with this description already exists")
_TAKEN_NAME = _said("A data collector with this name already exists")


def _of_network(verb: str) -> dict[str, Any]:
    """Return how ``/network`` says that it cannot."""
    error = {"message": f"Could not {verb} network settings", "code": 400}
    return {"apiVersion": "v1", "error": error}


_ONE_DEVICE, _ONE_TYPE = "/devices/{deviceId}", "/deviceTypes/{deviceTypeId}"
_ONE_IMAGE, _ONE_TOPOLOGY = "/images/{imageId}", "/topologies/{topologyId}"
_ONE_COLLECTOR, _COLLECTOR_CONFIG = "/dc/{name}", "/dc/{name}/config"
_ONE_CONFIGURATION = "/networkConfigurations/{networkConfigurationId}"
_ONE_UPDATE = "/networkConfigurationUpdates/{networkConfigurationUpdateId}"
_SHOWN: dict[str, dict[int, object]] = {
    "POST /changePassword": {
        _BODY: {"old": "yourOldPassword", "new": "yourNewPassword1#"},
        200: _data("Successfully changed password"), 400: _said({"new": _NO_PASSWORD}),
    },
    "GET /backup": {400: _said(_NO_BACKUP)},
    "GET /network": {
        200: _data({"configured_settings": _SETTINGS, "bridge_addr": "012345",
                    "actual_settings": _SETTINGS}),
        400: _of_network("get"),
    },
    "PUT /network": {
        _BODY: _SETTINGS, 200: {"apiVersion": "v1", "data": _SETTINGS}, 400: _of_network("update"),
    },
    "GET /dc": {200: _data([_COLLECTOR])},
    "POST /dc": {_BODY: _NEW_COLLECTOR, 201: _data(_COLLECTOR), 409: _TAKEN_NAME},
    f"DELETE {_ONE_COLLECTOR}": {404: _NO_COLLECTOR},
    f"GET {_COLLECTOR_CONFIG}": {200: _data(_COLLECTOR)},
    f"PUT {_COLLECTOR_CONFIG}": {_BODY: _NEW_COLLECTOR, 200: _data(_COLLECTOR)},
    "GET /devices": {200: _data([_DEVICE])},
    "POST /devices": {
        _BODY: _NEW_DEVICE, 201: _data(_MADE), 400: _MISSING, 404: _NO_TYPE, 409: _TAKEN_ADDRESS,
    },
    f"GET {_ONE_DEVICE}": {200: _data(_DEVICE), 404: _NO_DEVICE},
    f"PUT {_ONE_DEVICE}": {
        _BODY: _NEW_DEVICE, 200: _data(_MADE), 400: _MISSING, 404: _NO_DEVICE, 409: _TAKEN_ADDRESS,
    },
    f"DELETE {_ONE_DEVICE}": {404: _NO_DEVICE},
    "POST /devices/batches": {
        _BODY: _NEW_BATCH, 201: _data(_BATCH), 400: _MISSING, 404: _NO_TYPE, 409: _TAKEN_ADDRESS,
    },
    "GET /devices/batches/{batchId}": {200: _data(_BATCH)},
    "GET /deviceTypes": {200: _data([_TYPE | {"href": _at("/deviceTypes/")}])},
    "POST /deviceTypes": {_BODY: _NEW_TYPE, 201: _data(_TYPE), 409: _TAKEN_TYPE},
    f"GET {_ONE_TYPE}": {200: _data([_TYPE])},
    f"PUT {_ONE_TYPE}": {_BODY: _NEW_TYPE, 200: _data(_TYPE), 404: _NO_TYPE, 409: _TAKEN_TYPE},
    f"DELETE {_ONE_TYPE}": {404: _NO_TYPE},
    "GET /firmware": {200: _data([_firmware("2.6.9"), _firmware("2.7.1")])},
    "GET /firmware/{firmwareVersion}": {
        200: _data(_firmware("2.7.1")), 404: _said("Firmware could not be found"),
    },
    "GET /licenseCapabilities": {200: _data(_CAPABILITIES)},
    "GET /images": {200: _data([_IMAGE, _BLINK])},
    "POST /images": {_BODY: {"content": "<Base64-encoded SPY file contents>"}, 201: _data(_IMAGE)},
    f"GET {_ONE_IMAGE}": {200: _data(_IMAGE), 404: _NO_IMAGE},
    f"DELETE {_ONE_IMAGE}": {404: _NO_IMAGE},
    "GET /moduleTypes": {
        200: _data([{"partName": "RF200PF1", "href": _at("/moduleTypes/RF200PF1")}]),
    },
    "GET /networkConfigurations": {200: _data([_CONFIGURATION, _OTHER_CONFIGURATION])},
    "POST /networkConfigurations": {_BODY: _NEW_CONFIGURATION, 201: _data(_CONFIGURATION)},
    f"GET {_ONE_CONFIGURATION}": {200: _data(_CONFIGURATION), 404: _NO_CONFIGURATION},
    "POST /networkConfigurationUpdates": {
        _BODY: {"href": _CONFIGURATION["href"]},
        400: _said("Unable to update network configuration: No devices found with address 608477"),
        403: _said(_NOT_LICENSED), 404: _NO_CONFIGURATION,
    },
    f"GET {_ONE_UPDATE}": {200: _data(_RESULTS), 404: _NO_RESULTS},
    "GET /tasks/{taskId}": {
        200: _data({"id": _TASK_ID, "href": _at(f"/tasks/{_TASK_ID}")}),
        404: _said("Task could not be found"),
    },
    "GET /topologies": {200: _data([_TOPOLOGY])},
    f"GET {_ONE_TOPOLOGY}": {200: _data(_TOPOLOGY), 404: _NO_TOPOLOGY},
    f"DELETE {_ONE_TOPOLOGY}": {404: _NO_TOPOLOGY},
}  # fmt: skip


def _full(operation: str) -> str:
    """Return the name of an operation with the path as it is."""
    return operation.replace(" ", f" {API}", 1)


EXAMPLES: Mapping[str, Mapping[int, object]] = {
    _full(name): shown for name, shown in _SHOWN.items()
}
"""By operation and status, that of its body by 0."""


# --- what leads where -----------------------------------------------------------------------------


def _links(origin: str, place: str, targets: dict[str, list[str]]) -> list[Link]:
    """Return the links from an answer: a place in it fills the parameter of each path."""
    return [
        Link(_full(origin), _full(f"{method} {path}"), {_parameter(path): place})
        for path, methods in targets.items()
        for method in methods
    ]


def _parameter(path: str) -> str:
    return path.partition("{")[2].partition("}")[0]


_ALL = ["GET", "PUT", "DELETE"]
_COLLECTORS = {_ONE_COLLECTOR: ["DELETE"], _COLLECTOR_CONFIG: ["GET", "PUT"]}
_UPDATE = _full("POST /networkConfigurationUpdates")
LINKS = [
    *_links("POST /devices", "data/id", {_ONE_DEVICE: _ALL}),
    *_links("GET /devices", "data/0/id", {_ONE_DEVICE: _ALL}),
    *_links("POST /devices/batches", "data/devices/0/id", {_ONE_DEVICE: ["GET", "DELETE"]}),
    *_links("POST /deviceTypes", "data/id", {_ONE_TYPE: _ALL}),
    *_links("GET /deviceTypes", "data/0/id", {_ONE_TYPE: _ALL}),
    *_links("POST /dc", "data/name", _COLLECTORS),
    *_links("GET /dc", "data/0/name", _COLLECTORS),
    *_links("GET /firmware", "data/0/version", {"/firmware/{firmwareVersion}": ["GET"]}),
    *_links("POST /images", "data/id", {_ONE_IMAGE: ["GET", "DELETE"]}),
    *_links("GET /images", "data/0/id", {_ONE_IMAGE: ["GET", "DELETE"]}),
    *_links("POST /networkConfigurations", "data/id", {_ONE_CONFIGURATION: ["GET"]}),
    *_links("GET /networkConfigurations", "data/0/id", {_ONE_CONFIGURATION: ["GET"]}),
    Link(_full("POST /networkConfigurations"), _UPDATE, body={"href": "data/href"}),
    Link(_full("GET /networkConfigurations"), _UPDATE, body={"href": "data/0/href"}),
    *_links("GET /topologies", "data/0/id", {_ONE_TOPOLOGY: ["GET", "DELETE"]}),
]
"""Where the answer to one operation leads to another."""


# --- what the table does not know: headers, texts, the licence, and what else is answered ---------


def _leads(what: str) -> dict[str, Any]:
    """Return the header that says where something is."""
    schema = {"type": "string", "format": "uri"}
    return {"headers": {"Location": {"description": what, "required": True, "schema": schema}}}


_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}
_BASE64 = {"type": "string", "contentEncoding": "base64"}
_LICENCE = {"type": "object", "required": ["license"], "properties": {"license": _BASE64}}
_NEW = {"201": _leads("Where it is.")}
_BEGUN = {"202": _leads("The task that tells when it is over.")}
_SQLITE = {
    "headers": {"Content-Disposition": {
        "description": f"An attachment of the name {FILE_NAME}.", "required": True,
        "schema": {"type": "string"},
    }},
    "content": {"application/vnd.sqlite3": {}},
}  # fmt: skip
_MORE: dict[str, dict[str, Any]] = {
    **{_full(f"POST {path}"): {"responses": _NEW}
       for path in ("/devices", "/devices/batches", "/deviceTypes", "/images",
                    "/networkConfigurations")},
    **{_full(f"POST {path}"): {"responses": _BEGUN}
       for path in ("/networkConfigurationUpdates", "/topologies")},
    _full("GET /tasks/{taskId}"): {"responses": {"303": _leads("Where the results are.")}},
    _full("GET /backup"): {"responses": {"200": _SQLITE}},
    _full("PUT /license"): {"requestBody": {"required": True, "content": {
        "application/json": {"schema": _LICENCE}, "text/plain": {"schema": _BASE64},
    }}},
    "GET /ws": {"responses": {"200": _TEXT}},
    "GET /ws/websocket": {
        "parameters": [{"name": "Upgrade", "in": "header", "required": True,
                        "schema": {"type": "string", "enum": ["websocket"]}}],
        "responses": {"200": _TEXT},
    },
}  # fmt: skip
_BESIDE = {
    _full("PUT /license"): frozenset({400}),
    _full(f"GET {_COLLECTOR_CONFIG}"): frozenset({404}),
    _full(f"PUT {_COLLECTOR_CONFIG}"): frozenset({404, 409}),
    _full(f"GET {_ONE_TYPE}"): frozenset({404}),
    _full("POST /topologies"): frozenset({400}),
    "GET /ws/websocket": frozenset({400}),
}
_ID = {"type": "integer", "minimum": 1}
DESCRIBED = Described(
    "SNAP Thing Services API", answers.Problem, ("Basic", {"type": "http", "scheme": "basic"}),
    frozenset({401}), own_examples=EXAMPLES, links=LINKS, beside=_BESIDE, more=_MORE,
    places={"deviceId": _ID, "deviceTypeId": _ID},
)  # fmt: skip
