"""What keys a scenario may have: walks the field types, never a second list of names."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from twin.scenario import laws
from twin.scenario.document import Scenario
from twin.scenario.quantities import Quantity

__all__ = ["Node", "law_keys", "leaves", "node_at", "schema_keys"]

_LAWS = {
    laws.Constant,
    laws.Uniform,
    laws.Lognormal,
    laws.Normal,
    laws.Weibull,
    laws.Empirical,
    laws.Mixture,
}


@dataclass(frozen=True)
class Node:
    """One place of the schema: the type found there, its metadata, whether it is required.

    What follows from the type is found once: a sweep walks the schema for each of its designs.
    """

    annotation: Any
    metadata: tuple[Any, ...] = ()
    description: str = ""
    required: bool = False

    @cached_property
    def models(self) -> tuple[type[BaseModel], ...]:
        """The models that the place may hold: one, several for a law, or none."""
        return tuple(item for item in _alternatives(self.annotation) if _is_model(item))

    @property
    def may_be_absent(self) -> bool:
        """Whether the place may hold nothing, not even a default."""
        return types.NoneType in _alternatives(self.annotation)

    @cached_property
    def is_law(self) -> bool:
        """Whether a law is due here."""
        return bool(self.models) and set(self.models) == _LAWS

    @property
    def laws(self) -> dict[str, type[BaseModel]]:
        """The laws that the place may hold, by the word that names them; sorted."""
        tagged = (model for model in self.models if "law" in model.model_fields)
        words = {
            typing.get_args(model.model_fields["law"].annotation)[0]: model for model in tagged
        }
        return dict(sorted(words.items()))

    @cached_property
    def item(self) -> Node | None:
        """The element type where the place is a list of tables or values."""
        inner = _plain(self.annotation)
        if typing.get_origin(inner) is tuple and typing.get_args(inner)[-1] is ...:
            return _node(typing.get_args(inner)[0])
        return None

    @cached_property
    def children(self) -> dict[str, Node]:
        """The keys below, by TOML name; of a law: those of every law."""
        found: dict[str, Node] = {}
        for model in self.models:
            for field in model.model_fields.values():
                found.setdefault(str(field.alias), _of_field(field))
        return found

    @property
    def allowed(self) -> str:
        """What may stand here, as a phrase."""
        for extra in self.metadata:
            if isinstance(extra, Quantity):
                return extra.allowed
        if self.is_law:
            names = ", ".join(self.laws)
            return f"a law ({names}) as a table, or the name of one in data/laws.toml"
        if self.laws:
            return f"a law ({', '.join(self.laws)}) as a table, with its weight"
        if self.description:
            return self.description
        return _simple(self)


def _is_model(item: Any) -> bool:
    return isinstance(item, type) and issubclass(item, BaseModel)


def _plain(annotation: Any) -> Any:
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    inner = _plain(annotation)
    if typing.get_origin(inner) in (typing.Union, types.UnionType):
        return tuple(_plain(part) for part in typing.get_args(inner))
    return (inner,)


def _node(annotation: Any) -> Node:
    if typing.get_origin(annotation) is typing.Annotated:
        inner, *extras = typing.get_args(annotation)
        return Node(inner, *_unfolded(extras))
    return Node(annotation)


def _unfolded(extras: Sequence[Any]) -> tuple[tuple[Any, ...], str]:
    metadata: list[Any] = []
    description = ""
    for extra in extras:
        if isinstance(extra, FieldInfo):
            metadata += extra.metadata
            description = extra.description or description
        else:
            metadata.append(extra)
    return tuple(metadata), description


def _of_field(field: FieldInfo) -> Node:
    metadata, description = _unfolded(field.metadata)
    return Node(field.annotation, metadata, field.description or description, field.is_required())


def _simple(node: Node) -> str:
    inner = _plain(node.annotation)
    if typing.get_origin(inner) is typing.Literal:
        return " or ".join(f'"{item}"' for item in typing.get_args(inner))
    if node.item is not None:
        return "a list of tables" if node.item.models else "a list"
    if node.models:
        return f"a table with {', '.join(node.children)}"
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    bounds = [text for extra in node.metadata for text in _bounds(extra)]
    return " ".join([names.get(inner, "a value"), " and ".join(bounds)]).rstrip()


def _bounds(extra: Any) -> Iterator[str]:
    words = (
        (annotated_types.Ge, "ge", "at least"),
        (annotated_types.Gt, "gt", "above"),
        (annotated_types.Le, "le", "at most"),
        (annotated_types.Lt, "lt", "below"),
    )
    for kind, name, word in words:
        if isinstance(extra, kind):
            yield f"{word} {getattr(extra, name)}"


ROOT = Node(Scenario)


def node_at(path: Sequence[str | int]) -> Node | None:
    """Find the place of a path of keys, names and indices; None when there is none."""
    node: Node | None = ROOT
    for step in path:
        if node is None:
            return None
        node = node.item if node.item is not None else node.children.get(str(step))
    return node


@cache
def schema_keys() -> tuple[str, ...]:
    """List every leaf key of a scenario, sorted, `*` for the elements of lists."""
    return tuple(sorted(key for key, _ in _walk(ROOT, "")))


@cache
def law_keys() -> tuple[str, ...]:
    """List the keys where a law is due."""
    return tuple(sorted(key for key, node in _walk(ROOT, "") if node.is_law))


def _walk(node: Node, prefix: str) -> Iterator[tuple[str, Node]]:
    for name, child in node.children.items():
        key = prefix + name
        if child.is_law:
            yield key, child
        elif child.item is not None and child.item.models:
            yield key, child
            yield from _walk(child.item, f"{key}.*.")
        elif child.models:
            yield from _walk(child, f"{key}.")
        else:
            yield key, child


def leaves(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Give each leaf of a document as (key, pattern, value).

    The key has the names of list elements, the pattern has `*` in their place.
    """
    yield from _leaves(ROOT, document, "", "")


def _leaves(
    node: Node, table: Mapping[str, Any], key: str, pattern: str
) -> Iterator[tuple[str, str, Any]]:
    for name, value in table.items():
        child = node.children.get(name)
        here, shape = key + name, pattern + name
        if child is None or child.is_law:
            yield here, shape, value
        elif child.item is not None and child.item.models and _is_list_of_tables(value):
            for place, item in enumerate(value):
                label = str(item.get("name", place))
                yield from _leaves(child.item, item, f"{here}.{label}.", f"{shape}.*.")
        elif child.models and isinstance(value, Mapping):
            yield from _leaves(child, value, f"{here}.", f"{shape}.")
        else:
            yield here, shape, value


def _is_list_of_tables(value: Any) -> bool:
    listed = isinstance(value, (list, tuple)) and len(value) > 0
    return listed and all(isinstance(item, Mapping) for item in value)
