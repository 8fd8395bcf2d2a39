"""Lists of resources, page by page."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from twin.api.http import Answer, ApiError, Call
from twin.api.insight.events import metadata
from twin.api.insight.login import token_key
from twin.api.paging import next_link, sealed, unsealed

__all__ = ["page"]


def page(
    call: Call, what: str, numbers: Sequence[int], shown: Callable[[int], dict[str, Any]]
) -> Answer:
    """Answer one page of a list.

    A token names the item behind which the next page begins, by a number that is never given
    again, so that nothing comes twice and nothing is skipped when others come or go meanwhile.

    Parameters
    ----------
    call
        With a ``PageAsked`` query.
    what
        The last part of the path.
    numbers
        Of all items, in order.
    shown
        Makes the item at a place.
    """
    asked, host = call.query, call.host
    first = 0
    if asked.next_token is not None:
        known = unsealed(token_key(host), asked.next_token)
        if known.get("of") != what:
            raise ApiError(400, "next_token: is of another list.")
        first = bisect_right(numbers, known["after"])
    end = min(first + asked.limit, len(numbers))
    items = [shown(i) for i in range(first, end)]
    token = None
    if end < len(numbers):
        facts = {"of": what, "after": numbers[end - 1]}
        token = sealed(token_key(host), facts)
    filters = {"limit": asked.limit}
    links = next_link(f"/{what}", filters, token)
    content = {"items": items, "links": links, "metadata": metadata(what, items, filters)}
    return Answer(content)
