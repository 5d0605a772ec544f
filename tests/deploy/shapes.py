"""The JSON Schema of kinds that other programs define, made of the classes that a package holds of them."""

import ast
import sys
import types
import typing
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pydantic

from tests.servers.installation import ROOT

FOLDER = ROOT / ".tools" / "shapes" / "cloudcoil" / "models"
FILES = {
    "ServiceMonitor": FOLDER / "prometheus_operator" / "v1.py",
    "PrometheusRule": FOLDER / "prometheus_operator" / "v1.py",
    "ScaledObject": FOLDER / "keda" / "v1alpha1.py",
}


class Strict(pydantic.BaseModel):
    """What all classes of the package are to us: a field that is not there is a mistake."""

    model_config = pydantic.ConfigDict(extra="forbid")


class ObjectMeta(Strict):
    """What the chart may say of any object."""

    name: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Resource(Strict):
    """An object of its own; its class adds what it may say."""


def problems(document: dict[str, Any]) -> list[str]:
    """What is wrong with an object of a foreign kind, each with its place."""
    found = jsonschema.Draft202012Validator(_schema(document["kind"])).iter_errors(document)
    return [f"{error.json_path}: {_innermost(error).message}" for error in found]


def _innermost(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """Of what may be left out: what is wrong with what is there, rather than that it is not left out."""
    inner = [one for one in error.context or () if one.validator_value != "null"]
    return _innermost(inner[0]) if inner else error


@cache
def _schema(kind: str) -> dict[str, Any]:
    classes = _classes(FILES[kind])
    body: list[ast.stmt] = list(_fields(kind, classes))
    module = types.ModuleType(f"shapes_of_{kind}")
    vars(module).update({name: getattr(typing, name) for name in typing.__all__}, datetime=datetime)
    vars(module).update(Field=pydantic.Field)
    vars(module).update(RootModel=pydantic.RootModel, BaseModel=Strict, Resource=Resource)
    vars(module).update(apimachinery=types.SimpleNamespace(ObjectMeta=ObjectMeta))
    sys.modules[module.__name__] = module  # where pydantic looks for the names of types
    code = ast.Module([ast.ImportFrom("__future__", [ast.alias("annotations")], 0), *body], type_ignores=[])
    exec(compile(ast.fix_missing_locations(code), kind, "exec"), vars(module))  # noqa: S102 - pinned by its hash
    shape: type[pydantic.BaseModel] = getattr(module, kind)
    shape.model_rebuild()
    schema = shape.model_json_schema(by_alias=True)
    schema["required"] = sorted({*schema["required"], "apiVersion", "kind", "metadata"})
    return schema


@cache
def _classes(path: Path) -> dict[str, ast.ClassDef]:
    assert path.exists(), f"{path} is missing: scripts/ensure_servers.sh brings it"
    return {one.name: one for one in ast.parse(path.read_text()).body if isinstance(one, ast.ClassDef)}


def _fields(kind: str, classes: dict[str, ast.ClassDef]) -> Iterator[ast.ClassDef]:
    """A kind and all it is made of, without their builders: thousands of lines that say nothing of the shape."""
    wanted, seen = [kind], {kind}
    while wanted:
        one = classes[wanted.pop()]
        fields: list[ast.stmt] = [part for part in one.body if isinstance(part, ast.AnnAssign)]
        named = {node.id for part in (*fields, *one.bases) for node in ast.walk(part) if isinstance(node, ast.Name)}
        wanted += sorted(named & classes.keys() - seen)
        seen |= named
        yield ast.ClassDef(one.name, one.bases, [], fields or [ast.Pass()], [])
