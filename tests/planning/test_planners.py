"""What every planner keeps to: names, words in both languages, sliders within their ranges."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation
from django.utils.functional import Promise

from apps.planning import planners, reading
from apps.planning.drafts import BadSettings, Planner
from apps.planning.registry import PLANNERS, NoSuchPlanner, planner_of

MODULES = [
    importlib.import_module(one.name)
    for folder in (planners, reading)
    for one in pkgutil.walk_packages(folder.__path__, f"{folder.__name__}.")
]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def _constants(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _constants(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from _constants(each)


SENTENCES = sorted(
    {
        text
        for module in MODULES
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith(("_", "PLANNER", "SQL"))
        for text in _constants(value)
        if " " in text and not text.startswith(("('", "decimal("))
    }
)


def _titles(planner: Planner) -> Iterator[Any]:
    yield planner.title
    yield planner.about
    for slider in planner.sliders:
        yield slider.title
    for table in planner.tables:
        yield table.title
        for column in table.columns:
            yield column.title
    for shape in (*planner.figures, *planner.outcomes):
        yield shape.title


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_is_translated_and_keeps_its_names(sentence: str) -> None:
    with translation.override("zh-hans"):
        told = translation.gettext(sentence)
    assert told != sentence
    assert set(PLACEHOLDER.findall(told)) == set(PLACEHOLDER.findall(sentence))


@pytest.mark.parametrize("planner", PLANNERS, ids=[planner.name for planner in PLANNERS])
def test_every_title_is_translated(planner: Planner) -> None:
    titles = list(_titles(planner))
    assert all(isinstance(title, Promise) for title in titles)
    with translation.override("en"):
        english = [str(title) for title in titles]
    with translation.override("zh-hans"):
        assert [word for word, said in zip(english, map(str, titles), strict=True) if word == said] == []


@pytest.mark.parametrize("planner", PLANNERS, ids=[planner.name for planner in PLANNERS])
def test_names_are_addresses_and_defaults_are_settings(planner: Planner) -> None:
    assert re.fullmatch(r"[a-z_]{1,20}", planner.name)
    assert planner_of(planner.name) is planner
    assert planner.settled({}) == planner.defaults
    names = [shape.name for shape in planner.tables]
    assert len(set(names)) == len(names)
    for slider in planner.sliders:
        assert slider.low <= slider.default <= slider.high
        assert slider.step > 0
        with pytest.raises(BadSettings, match=slider.name):
            planner.settled({slider.name: slider.high + 1})


def test_there_is_no_other_planner() -> None:
    with pytest.raises(NoSuchPlanner, match="there are"):
        planner_of("fortune")
