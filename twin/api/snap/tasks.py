"""Tasks: whether what takes long is over, and where to find what came of it."""

from twin.api.http import Answer, ApiError, Call
from twin.api.snap.seen import is_done, reference
from twin.events import NEVER
from twin.store.things import Things

__all__ = ["get_task"]


def get_task(call: Call) -> Answer:
    """Answer that a task is under way, or, with 303, where its results are, or were."""
    task_id, host = call.params["taskId"], call.host
    things: Things = host.things
    update = next((one for one in things.updates() if one.task_id == task_id), None)
    if update is not None:
        over, kind, found = is_done(host, update), "networkConfigurationUpdates", update.id
    else:
        topology = next((one for one in things.topologies() if one.task_id == task_id), None)
        if topology is None:
            raise ApiError(404, "Task could not be found")
        over = host.network.jobs.surveys[topology.survey].ended_us != NEVER
        kind, found = "topologies", topology.id
    if over:
        return Answer(status=303, headers={"Location": reference(call, kind, found)})
    return Answer({"data": {"id": task_id, "href": reference(call, "tasks", task_id)}})
