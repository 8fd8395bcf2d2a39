"""Lists of resources, page by page."""

from collections.abc import Callable
from typing import Any

from twin.api.http import Answer, ApiError, Call
from twin.api.insight.events import metadata
from twin.api.insight.login import token_key
from twin.api.paging import next_link, sealed, unsealed

__all__ = ["page"]


def page(call: Call, what: str, ids: list[str], shown: Callable[[int], dict[str, Any]]) -> Answer:
    """Answer one page of a list.

    A token names the item behind which the next page begins, by its id, so that nothing comes
    twice and nothing is skipped when others come or go meanwhile.

    Parameters
    ----------
    call
        With a ``PageAsked`` query.
    what
        The last part of the path.
    ids
        Of all items, in the order of the list.
    shown
        Makes the item at a place.
    """
    asked, host = call.query, call.host
    first = 0
    if asked.next_token is not None:
        known = unsealed(token_key(host), asked.next_token)
        if known.get("of") != what:
            raise ApiError(400, "next_token: is of another list.")
        # Where that item is gone meanwhile, go on from the place that it had.
        first = ids.index(known["after"]) + 1 if known["after"] in ids else known["place"]
    end = min(first + asked.limit, len(ids))
    items = [shown(i) for i in range(first, end)]
    token = None
    if end < len(ids):
        facts = {"of": what, "after": ids[end - 1], "place": end - 1}
        token = sealed(token_key(host), facts)
    filters = {"limit": asked.limit}
    links = next_link(f"/{host.account.customer_id}/{what}", filters, token)
    content = {"items": items, "links": links, "metadata": metadata(what, items, filters)}
    return Answer(content)
