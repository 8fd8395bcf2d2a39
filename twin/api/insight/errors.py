"""The error envelope of the document: ``{"title": ..., "details": ...}``."""

from http import HTTPStatus

__all__ = ["envelope"]


def envelope(status: int, details: str) -> dict[str, str]:
    """Return the body of an error.

    Parameters
    ----------
    status
        Its HTTP status; the title is what HTTP calls it.
    details
        What was wrong.
    """
    return {"title": HTTPStatus(status).phrase, "details": details}
