"""Topologies: who hears whom, as surveys of the mesh find out."""

from typing import Any

from twin.api.host import Host
from twin.api.http import Answer, ApiError, Call
from twin.api.snap.errors import in_short
from twin.api.snap.seen import reference
from twin.api.snap.trial import licence_of
from twin.commands import StartSurvey
from twin.errors import RunError
from twin.events import NEVER
from twin.store.things import Things, Topology
from twin.world.clock import iso_utc
from twin.world.polling import nearest_first

__all__ = [
    "delete_topologies",
    "delete_topology",
    "get_topology",
    "list_topologies",
    "start_survey",
]

_LATEST = "latest"


def list_topologies(call: Call) -> Answer:
    """Answer all topologies that were found; on trial only a few nodes of each, the nearest."""
    return Answer({"data": [_shown(call, one) for one in _there(call.host)]})


def start_survey(call: Call) -> Answer:
    """Begin a survey of the mesh, as ``[mesh.survey]`` says; the task leads to what it finds."""
    host = call.host
    try:
        with host.database.transaction():
            made = host.things.add_topology(len(host.network.jobs.surveys))
            host.submit(StartSurvey(host.scenario.mesh.survey.generation))
    except RunError as error:
        raise ApiError(400, in_short(error)) from error
    return Answer(headers={"Location": reference(call, "tasks", made.task_id)})


def delete_topologies(call: Call) -> Answer:
    """Delete all topologies that were found; a survey under way goes on, and finds another."""
    call.host.things.remove_topologies([one.id for one in _there(call.host)])
    return Answer()


def get_topology(call: Call) -> Answer:
    """Answer one topology; ``latest`` is that of the survey that ended last."""
    return Answer({"data": _shown(call, _found(call))})


def delete_topology(call: Call) -> Answer:
    """Delete one topology, or the latest."""
    call.host.things.remove_topologies([_found(call).id])
    return Answer()


def _there(host: Host) -> list[Topology]:
    """Return the topologies whose surveys are over and that nobody deleted, the latest last."""
    surveys, things = host.network.jobs.surveys, host.things
    over = [
        one
        for one in things.topologies()
        if not one.is_deleted and surveys[one.survey].ended_us != NEVER
    ]
    return sorted(over, key=lambda one: surveys[one.survey].ended_us)


def _found(call: Call) -> Topology:
    """Return the topology that is asked for; raises ApiError 404."""
    wanted = call.params["topologyId"]
    for one in reversed(_there(call.host)):
        if wanted in (_LATEST, one.id):
            return one
    raise ApiError(404, "Topology could not be found")


def _shown(call: Call, topology: Topology) -> dict[str, Any]:
    """Return a topology as the document shows it."""
    host = call.host
    network, things = host.network, host.things
    assert isinstance(things, Things), "the host's"
    survey = network.jobs.surveys[topology.survey]
    nodes = [node.address.lower() for node in network.nodes]
    seen = set(range(len(nodes)))
    licence = licence_of(host)
    if licence is None or not licence.siteDoctor:
        seen = set(nearest_first(network.plan, network.nodes)[: host.scenario.snap.trial_topology])
    return {
        "links": [
            {"end": nodes[end], "linkQuality": quality, "start": nodes[start]}
            for (start, end), quality in sorted(survey.links.items())
            if start in seen and end in seen
        ],
        "id": topology.id,
        "createdAt": iso_utc(host.origin_us + survey.ended_us),
        "href": reference(call, "topologies", topology.id),
        "gateways": [nodes[n] for n, node in enumerate(network.nodes) if node.is_bridge],
    }
