"""Events Calls: scans and telemetry, once they have arrived in the cloud."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.api.host import Host, now_ms
from twin.api.http import Answer, ApiError, Call
from twin.api.insight.log import EventLog
from twin.api.insight.login import token_key
from twin.api.insight.shapes import EventsAsked
from twin.api.paging import next_link, sealed, unsealed
from twin.events import FULL_BATTERY, Kind, scan_us

__all__ = ["Events", "items", "metadata"]

_DAY_MS = 24 * 3600 * 1000
_SCAN = int(Kind.SCAN)
_TYPES = {_SCAN: "scan", int(Kind.TELEMETRY): "telemetry"}


class Events:
    """What the cloud shows of the events of one twin."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._log = EventLog()

    def log(self, host: Host) -> EventLog:
        """Return the list, brought up to the moment."""
        self._log.bring_up(host.rows(), host.now_us)
        return self._log

    def list_events(self, call: Call) -> Answer:
        """Answer the list: oldest first, by when the cloud came to show them.

        The document names no order; this one never changes a page that was read.
        """
        host, asked = call.host, call.query
        filters = _filters(host, asked)
        if asked.gateway_id is not None:
            if asked.next_token is not None:
                raise ApiError(400, "next_token: with gateway_id all events come at once.")
            return self._of_gateway(host, asked, filters)
        log = self.log(host)
        key = token_key(host)
        if asked.next_token is None:
            place, bound = log.first_from(_us(host, filters["start_time_millis"])), len(log)
        else:
            known = unsealed(key, asked.next_token)
            if known.get("of") != "events":
                raise ApiError(400, "next_token: is of another list.")
            place, bound, filters = known["place"], known["bound"], known["filters"]
            filters |= {"limit": asked.limit} if "limit" in asked.model_fields_set else {}
        span = _us(host, filters["start_time_millis"]), _us(host, filters["end_time_millis"], 999)
        rows, after = log.page(place, bound, *span, filters["limit"])
        more, _ = log.page(after, bound, *span, 1)
        token = None
        if len(more):
            facts = {"of": "events", "place": after, "bound": bound, "filters": filters}
            token = sealed(key, facts)
        links = next_link("/events", filters, token)
        return _listed(items(host, host.rows()[rows]), links, filters)

    def _of_gateway(self, host: Host, asked: EventsAsked, filters: dict[str, Any]) -> Answer:
        """Answer all events of one gateway at once."""
        log, rows = self.log(host), host.rows()
        number = {g.id: i for i, g in enumerate(host.roster.gateways)}.get(asked.gateway_id or "")
        from_us = _us(host, filters["start_time_millis"])
        until_us = _us(host, filters["end_time_millis"], 999)
        created_us = log.created_us()
        inside = log.all_rows()[(created_us >= from_us) & (created_us <= until_us)]
        found = rows[inside]
        found = found[found["gateway"] == (-2 if number is None else number)]
        del filters["limit"]
        filters["gateway_id"] = asked.gateway_id
        return _listed(items(host, found), {}, filters)


def _filters(host: Host, asked: EventsAsked) -> dict[str, Any]:
    """Return what is asked for, with what the document says where it is left out."""
    end_ms = now_ms(host) if asked.end_time_millis is None else asked.end_time_millis
    start_ms = end_ms - _DAY_MS if asked.start_time_millis is None else asked.start_time_millis
    if start_ms > end_ms:
        raise ApiError(400, "start_time_millis: is later than end_time_millis.")
    return {"start_time_millis": start_ms, "end_time_millis": end_ms, "limit": asked.limit}


def _us(host: Host, moment_ms: int, more_us: int = 0) -> int:
    """Return a moment since 1970 [ms] on the simulated clock [us]."""
    return moment_ms * 1000 - host.origin_us + more_us


def _listed(
    found: list[dict[str, Any]], links: Mapping[str, str], filters: Mapping[str, Any]
) -> Answer:
    """Return items as the document lists them."""
    return Answer({"items": found, "links": links, "metadata": metadata("events", found, filters)})


def metadata(what: str, found: list[Any], filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a list says about itself: how many there are in this answer, and which."""
    named = [{"name": name, "value": value} for name, value in filters.items()]
    return {"description": f"List of {what}", "size": len(found), "filters": named}


def items(host: Host, rows: NDArray[np.void]) -> list[dict[str, Any]]:
    """Return messages as the document shows them, telemetry without what only a scan has."""
    texts = host.frames.messages(rows)
    scanners, gateways = host.roster.scanners, host.roster.gateways
    columns = (
        rows["kind"].tolist(),
        ((scan_us(rows) + host.origin_us) // 1000).tolist(),
        np.rint(rows["battery"] * (100 / FULL_BATTERY)).astype(np.int64).tolist(),
        [scanners[i] for i in rows["scanner"].tolist()],
        [gateways[i] for i in rows["gateway"].tolist()],
        *texts.values(),
    )
    shown = []
    for kind, created, battery, scanner, gateway, event_id, code, symbology, held_s, degc in zip(
        *columns, strict=True
    ):
        item = {
            "id": event_id, "class": "event", "type": _TYPES[kind], "created": created,
            "scan_code": code, "scan_duration": held_s, "scan_decode_symbology": symbology,
            "device_id": scanner.serial, "device_battery": battery,
            "device_firmware": scanner.firmware, "device_temperature": degc,
            "gateway_id": gateway.id, "gateway_usecase": gateway.usecase,
            "gateway_station": gateway.station,
        }  # fmt: skip
        if kind != _SCAN:
            del item["scan_code"], item["scan_duration"], item["scan_decode_symbology"]
        shown.append(item)
    return shown
