"""The schema is OpenAPI 3.1 and says all of every operation: words, parameters, answers, failures, an example."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from apps.api.openapi import examples

METHODS = ("get", "post", "put", "patch", "delete")


def schema_of_today() -> dict[str, Any]:
    made: Any = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # untyped there
    return dict(json.loads(OpenApiJsonRenderer().render(made)))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return schema_of_today()


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        yield from ((f"{method.upper()} {path}", methods[method]) for method in METHODS if method in methods)


def resolved(schema: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in one:
        return one
    _, _, kind, name = one["$ref"].split("/")
    return dict(schema["components"][kind][name])


def test_it_is_valid_by_the_schema_of_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"] == "3.1.1"
    validate_schema(schema)
    assert len(list(operations(schema))) > 100


def test_every_operation_has_words(schema: dict[str, Any]) -> None:
    silent = [
        (name, what)
        for name, one in operations(schema)
        for what in ("operationId", "summary", "description", "tags")
        if not one.get(what)
    ]
    assert silent == []


def test_every_parameter_says_what_it_is(schema: dict[str, Any]) -> None:
    asked = [(name, resolved(schema, each)) for name, one in operations(schema) for each in one.get("parameters", ())]
    assert [(name, each["name"]) for name, each in asked if not (each.get("description") and each["schema"])] == []


def test_how_many_rows_a_table_has_is_said(schema: dict[str, Any]) -> None:
    def limit(path: str) -> str:
        asked = [resolved(schema, one) for one in schema["paths"][path]["get"]["parameters"]]
        (said,) = (one["description"] for one in asked if one["name"] == "limit")
        return said

    assert "10000 by default, all of them in CSV" in limit("/api/v1/costs/")
    for path in ("/api/v1/alerts/", "/api/v1/units/", "/api/v1/audit/"):
        assert "by default, 50000 in CSV and workbooks, whose header `Link` leads to more" in limit(path)


def test_every_operation_tells_its_answer_and_its_problems(schema: dict[str, Any]) -> None:
    for name, one in operations(schema):
        answers = {code: resolved(schema, answer) for code, answer in one["responses"].items()}
        good = [answer for code, answer in answers.items() if code[0] == "2"]
        assert (name, [each for each in answers.values() if not each["description"]]) == (name, [])
        assert (name, all(media["schema"] for each in good for media in each["content"].values())) == (name, True)
        if not name.startswith("GET /api/compat/"):
            failed = {code for code, answer in answers.items() if code[0] in "45"}
            media = {each for code in failed for each in answers[code]["content"]}
            wanted = {"400", "401", "403", "404", "406", "409", "429", "500", "503"}
            assert (name, wanted - failed, media) == (name, set(), {"application/problem+json"})


def test_every_operation_has_an_example_that_is_what_its_schema_says(schema: dict[str, Any]) -> None:
    assert set(examples()) == {one["operationId"] for _, one in operations(schema)}
    for name, one in operations(schema):
        recorded = examples()[one["operationId"]]
        answer = resolved(schema, one["responses"][str(recorded["status"])])
        content = answer["content"][recorded.get("media", "application/json")]
        (example,) = content["examples"].values()
        problems = Draft202012Validator({**content["schema"], "components": schema["components"]})
        assert (name, list(problems.iter_errors(example["value"]))) == (name, [])


def test_what_many_say_is_said_once(schema: dict[str, Any]) -> None:
    """A browser reads it whole before it shows a page of it."""
    assert len(json.dumps(schema)) < 700_000
