"""What a reader is asked and answers, as JSON: data of known classes only, for what is unpickled may run code."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

Classes = Iterable[type[Any]]


def spell(value: Any) -> Any:
    """Any data as what JSON knows; lists and tuples are told alike."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Path | Decimal):
        return {"is": "path" if isinstance(value, Path) else "decimal", "of": str(value)}
    if isinstance(value, Mapping):
        return {"is": "mapping", "of": [[spell(key), spell(one)] for key, one in value.items()]}
    if is_dataclass(value) and not isinstance(value, type):
        given = {one.name: spell(getattr(value, one.name)) for one in fields(value) if one.init}
        return {"is": type(value).__name__, "of": given}
    return [spell(one) for one in value]


def understand(told: Any, classes: Classes) -> Any:
    """The data that was spelled; KeyError where it is of a class that is not among these."""
    if isinstance(told, list):
        return tuple(understand(one, classes) for one in told)
    if not isinstance(told, dict):
        return told
    kind, of = told["is"], told["of"]
    if kind in _PLAIN:
        return _PLAIN[kind](of)
    if kind == "mapping":
        return {understand(key, classes): understand(one, classes) for key, one in of}
    known = {one.__name__: one for one in classes}
    return known[kind](**{name: understand(one, classes) for name, one in of.items()})


_PLAIN = {"path": Path, "decimal": Decimal}
