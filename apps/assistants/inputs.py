"""The input schema of a tool, made of the parameters of its address: what the API takes is what assistants are told."""

import re
from collections.abc import Mapping
from typing import Any

from django.urls import resolve

from apps.api.parameters import Family, Known, Parameter
from apps.assistants.tools import Tool

_WHOLE_NUMBER = re.compile(r"\^(-\?)?\\d\{1,\d+\}\$")
_MARKS = str.maketrans("", "", "`")


def schema_of(tool: Tool) -> dict[str, Any]:
    """JSON Schema of the arguments of a tool."""
    known = _known(tool)
    return {
        "type": "object",
        "properties": {one.name: _property(one, known) for one in _offered(tool)},
        "required": list(tool.required),
        "additionalProperties": False,
    }


def _known(tool: Tool) -> Known:
    """What the address takes."""
    view: Any = resolve(tool.path()).func
    known: Known = view.cls.known
    return known


def _offered(tool: Tool) -> Known:
    known = _known(tool)
    return tuple(one for one in known if one.name not in tool.hidden and not _is_twice(one, known))


def _is_twice(one: Parameter | Family, known: Known) -> bool:
    """Whether a plain parameter says what a family spells one by one."""
    return isinstance(one, Family) and any(isinstance(other, Parameter) and other.name == one.name for other in known)


def _property(one: Parameter | Family, known: Known) -> dict[str, Any]:
    if isinstance(one, Family):
        inner = {name: _value(parameter) for name, parameter in one.inner().items()}
        described = one.description.translate(_MARKS)
        return {"type": "object", "description": described, "properties": inner, "additionalProperties": False}
    spelled = _value(one)
    for other in known:
        if isinstance(other, Family) and other.name == one.name and spelled["type"] == "array":
            spelled["items"]["enum"] = list(other.inner())
    return spelled


def _value(parameter: Parameter) -> dict[str, Any]:
    """One parameter: a list where it takes several, a number or one of a few words where it takes those."""
    described = {"description": parameter.description.translate(_MARKS)}
    if parameter.is_list:
        return {"type": "array", "items": {"type": "string"}, **described}
    if parameter.choices:
        return {"type": "string", "enum": list(parameter.choices), **described}
    is_number = parameter.pattern is not None and _WHOLE_NUMBER.fullmatch(parameter.pattern)
    return {"type": "integer" if is_number else "string", **described}


def unknown_arguments(tool: Tool, arguments: Mapping[str, Any]) -> list[str]:
    """The arguments that a tool does not take."""
    return sorted(set(arguments) - {one.name for one in _offered(tool)})
