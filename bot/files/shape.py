"""What a schema knows about a place in a file: its keys, and which fields are secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from bot.files.problem import Loc

Part = Mapping[str, Any]


class Shape:
    """A pydantic schema, looked up through its JSON Schema."""

    def __init__(self, schema: type[BaseModel]) -> None:
        self._root: Part = schema.model_json_schema()
        self._definitions: Part = self._root.get("$defs", {})

    def secret_fields(self) -> frozenset[str]:
        """The names of all fields that hold a ``SecretStr``, or a mapping to such."""
        return frozenset(
            name
            for record in (self._root, *self._definitions.values())
            for name, part in record.get("properties", {}).items()
            if any(self._is_secret(choice) for choice in self._choices(part))
        )

    def _is_secret(self, part: Part) -> bool:
        return part.get("format") == "password" or any(
            self._is_secret(choice) for below in _values(part) for choice in self._choices(below)
        )

    def known_keys(self, loc: Loc) -> tuple[str, ...]:
        """The keys that a mapping at this place (pydantic's path to it) may have, if they are fixed."""
        keys = (key for part in self._parts(loc) for key in part.get("properties", {}))
        return tuple(dict.fromkeys(keys))

    def without_labels(self, loc: Loc) -> Loc:
        """Pydantic's path without the words by which it says which branch of a union it took.

        Such a word can be a key of that branch too: a step of the kind ``action`` has an ``action``.
        """
        labels = self._walked(loc)[1]
        return tuple(step for number, step in enumerate(loc) if number not in labels)

    def _parts(self, loc: Loc) -> list[Part]:
        return self._walked(loc)[0]

    def _walked(self, loc: Loc) -> tuple[list[Part], set[int]]:
        """What the schema says of a place, and which steps to it are labels of a tagged union."""
        parts, tagged = list(self._choices(self._root)), self._is_tagged(self._root)
        labels: set[int] = set()
        for number, step in enumerate(loc):
            below = [] if tagged else [one for part in parts for one in _below(part, step)]
            deeper = [choice for one in below for choice in self._choices(one)]
            if tagged:
                labels.add(number)
            # A step that leads nowhere is pydantic's label of a branch: the branch, where it is known.
            parts = deeper or [part for part in parts if _is_branch(part, step)] or parts
            tagged = any(map(self._is_tagged, below))
        return parts, labels

    def _is_tagged(self, part: Part) -> bool:
        """Whether it is a union whose branches are told apart by a word."""
        if "$ref" in part:
            return self._is_tagged(self._definitions[part["$ref"].rpartition("/")[2]])
        return "discriminator" in part or any(map(self._is_tagged, part.get("anyOf", ())))

    def _choices(self, part: Part) -> Iterator[Part]:
        """The part itself, its references followed and its alternatives taken apart."""
        if "$ref" in part:
            yield from self._choices(self._definitions[part["$ref"].rpartition("/")[2]])
            return
        alternatives = [*part.get("anyOf", ()), *part.get("oneOf", ()), *part.get("allOf", ())]
        for alternative in alternatives:
            yield from self._choices(alternative)
        if not alternatives:
            yield part


def _is_branch(part: Part, label: str | int) -> bool:
    return any(field.get("const") == label for field in part.get("properties", {}).values())


def _below(part: Part, step: str | int) -> Iterator[Part]:
    if isinstance(step, int):
        below = [*part.get("prefixItems", ())[step : step + 1], part.get("items")]
    elif step in part.get("properties", {}):
        below = [part["properties"][step]]
    else:
        below = list(_values(part))
    for candidate in below:
        if isinstance(candidate, Mapping):
            yield candidate


def _values(part: Part) -> Iterator[Part]:
    """What a mapping of keys that people choose holds."""
    for below in (part.get("additionalProperties"), *part.get("patternProperties", {}).values()):
        if isinstance(below, Mapping):
            yield below
