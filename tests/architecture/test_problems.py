"""Every code of a problem is documented with its cause and remedy, and every code that is raised is in the table."""

import pytest
from rest_framework import exceptions

from apps.api.errors import COSTOPS_ERRORS
from apps.api.problems import PROBLEMS
from tests.architecture import tree

PAGE = (tree.ROOT / "docs" / "problems.md").read_text()


def errors_of(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(errors_of(one) for one in kind.__subclasses__()))


@pytest.mark.parametrize("code", PROBLEMS)
def test_a_code_is_documented(code):
    one = PROBLEMS[code]
    assert f"| `{code}` | {one.status} | {one.title} | {one.cause} | {one.remedy} |" in PAGE


def test_no_other_code_is_documented():
    rows = [line.split("|")[1].strip(" `") for line in PAGE.splitlines() if line.startswith("| `")]
    assert rows == list(PROBLEMS)


def test_every_error_of_the_house_has_a_code_of_the_table():
    assert {code for _, code in COSTOPS_ERRORS} <= set(PROBLEMS)


def test_every_error_of_the_framework_that_is_raised_has_a_code_and_its_status():
    never = {"APIException", "ValidationError"}  # abstract; serializers here describe, they do not check
    raised = {one for one in errors_of(exceptions.APIException) if one.__name__ not in never}
    assert len(raised) > 10
    told = {one.__name__: (one.default_code, one.status_code) for one in raised}
    assert {name: (code, PROBLEMS[code].status) for name, (code, _) in told.items()} == told
