"""Account: the password of who calls."""

from twin.api.http import Answer, ApiError, Call
from twin.store.things import Things

__all__ = ["change_password"]


def change_password(call: Call) -> Answer:
    """Change the password of who calls; what is wrong is said of ``old`` or of ``new``."""
    things: Things = call.host.things
    if not things.knows(call.who.name, call.body.old):
        raise ApiError(400, {"old": "This is not the password."})
    things.change_password(call.who.name, call.body.new)
    return Answer({"data": "Successfully changed password"})
