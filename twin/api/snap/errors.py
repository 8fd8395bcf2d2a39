"""The error envelopes of the document, and what they say of a body that is not as it should be."""

from typing import Any

from pydantic import BaseModel, ValidationError

from twin.api.snap.shapes import NewPassword
from twin.errors import TwinError

__all__ = ["envelope", "in_short", "tell", "versioned"]


def in_short(error: TwinError) -> str:
    """Return what was wrong; what to do next is meant for who sits at a terminal."""
    return str(error).partition("\n")[0]


def envelope(_status: int, details: Any) -> dict[str, Any]:
    """Return the body of an error: what was wrong, or what was wrong with each field."""
    return {"error": {"message": details}}


def versioned(status: int, details: Any) -> dict[str, Any]:
    """Return the body of an error of ``/network``, which names version and status, too."""
    return {"apiVersion": "v1", "error": {"message": details, "code": status}}


def tell(shape: type[BaseModel], error: ValidationError) -> str | dict[str, str]:
    """Say what is wrong, in the document's own sentences where it has one."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if shape is NewPassword:
        return {str(item["loc"][0]) if item["loc"] else "new": item["msg"] for item in found}
    missing = [item["loc"][:-1] for item in found if item["type"] == "missing"]
    if missing:
        names = _required(shape, [part for part in missing[0] if isinstance(part, str)])
        return f"The following properties are required: {', '.join(names)}"
    named = ((".".join(map(str, item["loc"])) or "body", item["msg"]) for item in found)
    return "; ".join(f"{place}: {said}" for place, said in named)


def _required(shape: type[BaseModel], path: list[str]) -> list[str]:
    """Return what a shape, or what is found in it along a path, cannot do without."""
    schema = shape.model_json_schema()
    known = schema
    for name in path:
        known = known["properties"][name]
        known = known.get("items", known)
        ways = known.get("anyOf", [known])  # what may be left out is that or null
        found = next((way["$ref"] for way in ways if "$ref" in way), None)
        if found is not None:
            known = schema["$defs"][found.rpartition("/")[2]]
    return list(known.get("required", []))
