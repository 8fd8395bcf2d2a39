"""Job Config Calls and job analysis.

The document leaves open how barcodes are paired. Here pairs are made per device in time order
within each gateway; a start without end is dropped when the next start comes. Results come per
gateway, in the order of the configuration, ordered by start.
"""

from typing import Any

import numpy as np

from twin.api.host import Host
from twin.api.http import Answer, ApiError, Call
from twin.api.insight.events import Events, metadata
from twin.events import Kind, scan_us
from twin.store.account import JobConfig

__all__ = [
    "Analysis",
    "create_config",
    "delete_config",
    "get_config",
    "list_configs",
    "shown_config",
]


def list_configs(call: Call) -> Answer:
    """Answer all job configurations; the ETag changes whenever one comes or goes."""
    account = call.host.account
    items = [shown_config(config) for config in account.job_configs()]
    content = {"items": items, "links": {}, "metadata": metadata("job configurations", items, {})}
    return Answer(content, headers={"ETag": f'"{account.changes("job_config") + 1}"'})


def create_config(call: Call) -> Answer:
    """Make a job configuration; 400 for a name that is taken or a gateway that does not exist."""
    asked, account = call.body, call.host.account
    known = {gateway.id for gateway in account.gateways()}
    unknown = [name for name in asked.gateway_ids if name not in known]
    if unknown:
        raise ApiError(400, f"gateway_ids: there is no gateway {unknown[0][:100]!r}.")
    ids = tuple(dict.fromkeys(asked.gateway_ids))
    made = account.add_job_config(asked.job_name, asked.start_barcode, asked.end_barcode, ids)
    if made is None:
        raise ApiError(400, f"job_name: {asked.job_name[:100]!r} is taken already.")
    return Answer(shown_config(made))


def get_config(call: Call) -> Answer:
    """Answer one job configuration."""
    found = call.host.account.job_config(call.params["job_config_id"])
    if found is None:
        raise ApiError(404, "Job not found.")
    return Answer(shown_config(found))


def delete_config(call: Call) -> Answer:
    """Delete one job configuration."""
    host = call.host
    if not host.account.remove_job_config(call.params["job_config_id"]):
        raise ApiError(404, "Job not found.")
    return Answer()


def shown_config(config: JobConfig) -> dict[str, Any]:
    """Return a job configuration as the document shows it."""
    return {
        "job_config_id": config.id,
        "job_name": config.name,
        "created": config.created_ms,
        "last_updated": config.updated_ms,
        "start_barcode": config.start_barcode,
        "end_barcode": config.end_barcode,
        "gateway_ids": list(config.gateway_ids),
        "class": "jobconfig",
        "version": config.version,
    }


class Analysis:
    """Job analysis on what the cloud shows."""

    def __init__(self, events: Events) -> None:
        """Remember where the events are."""
        self._events = events

    def run(self, call: Call) -> Answer:
        """Answer the jobs between two moments; 400 for an unknown configuration."""
        host, asked = call.host, call.body
        config = host.account.job_config(asked.job_config_id)
        if config is None:
            raise ApiError(400, "job_config_id: there is no such job configuration.")
        if asked.end_time < asked.start_time:
            raise ApiError(400, "end_time: is before start_time.")
        return Answer({"results": self._results(host, config, asked.start_time, asked.end_time)})

    def _results(
        self, host: Host, config: JobConfig, start_ms: float, end_ms: float
    ) -> list[dict[str, Any]]:
        """Return the jobs of each gateway that has any [ms]."""
        log = self._events.log(host)
        created_ms = (log.created_us() + host.origin_us) // 1000
        places = log.all_rows()[(created_ms >= start_ms) & (created_ms <= end_ms)]
        rows = host.rows()[np.sort(places)]
        known = {gateway.id: i for i, gateway in enumerate(host.roster.gateways)}
        numbers = [known[name] for name in config.gateway_ids if name in known]
        scans = rows[(rows["kind"] == Kind.SCAN) & np.isin(rows["gateway"], numbers)]
        starts, ends = host.frames.pairs(scans, config.start_barcode, config.end_barcode)
        jobs: dict[int, list[dict[str, Any]]] = {number: [] for number in numbers}
        columns = (starts["gateway"].tolist(), *(
            ((scan_us(found) + host.origin_us) // 1000).tolist() for found in (starts, ends)
        ), host.frames.ids(starts), host.frames.ids(ends))  # fmt: skip
        for number, start, end, start_id, end_id in zip(*columns, strict=True):
            jobs[number].append({
                "start_time": start, "end_time": end,
                "start_event_id": start_id, "end_event_id": end_id,
            })  # fmt: skip
        ids = [gateway.id for gateway in host.roster.gateways]
        return [{"gateway_id": ids[number], "jobs": own} for number, own in jobs.items() if own]
