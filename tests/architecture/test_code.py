"""The house keeps its shape: modules stay small, foreign keys point down, every app has a floor."""

import ast

import pytest
from django.apps import apps

from tests.architecture import tree

MOST_LINES = 400


def own_models():
    return [model for model in apps.get_models() if model.__module__.startswith("apps.")]


def test_modules_stay_small():
    files = tree.python_files()
    assert len(files) > 20
    assert [tree.name(path) for path in files if len(path.read_text().splitlines()) > MOST_LINES] == []


def test_every_module_says_what_it_is_about():
    files = [path for path in tree.python_files() if path.read_text().strip()]
    silent = [path for path in files if not path.read_text().removeprefix("#!/usr/bin/env python\n").startswith('"""')]
    assert [tree.name(path) for path in silent] == []


def test_there_are_models():
    assert len(own_models()) >= 5


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model._meta.label)
def test_foreign_keys_point_down(model):
    floors = tree.floors()
    package = model.__module__.split(".")[1]
    targets = [
        field.related_model for field in model._meta.get_fields() if field.is_relation and not field.auto_created
    ]
    targets = [target for target in targets if target and target.__module__.startswith("apps.")]
    packages = {target.__module__.split(".")[1] for target in targets} - {package}
    assert [target for target in packages if floors[target] >= floors[package]] == []


def test_a_package_has_one_floor():
    floors = tree.floors()
    packages = {path.parent.name for path in (tree.ROOT / "apps").glob("*/__init__.py")}
    assert packages <= set(floors)
    assert floors["finops"] == 0 < floors["warehouse"] < floors["marts"] < floors["pipeline"] < floors["api"]


def without_order(node: ast.AST) -> bool:
    """Of a call of `parametrize`: its cases are a set."""
    if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "parametrize" and len(node.args) > 1):
        return False
    cases = node.args[1]
    called = cases.func.id if isinstance(cases, ast.Call) and isinstance(cases.func, ast.Name) else ""
    return isinstance(cases, ast.Set | ast.SetComp) or called in {"set", "frozenset"}


def test_cases_come_in_one_order():
    """Two processes that share a suite must collect the same tests in the same order: a set has none."""
    assert without_order(ast.parse("mark.parametrize('x', {1, 2})").body[0].value)
    told = [
        f"{tree.name(path)}:{node.lineno}"
        for path in tree.files(("tests",), ".py")
        for node in ast.walk(ast.parse(path.read_text()))
        if without_order(node)
    ]
    assert not told, f"cases in no order: {told}; give a list, a dict, or sorted(…)"
