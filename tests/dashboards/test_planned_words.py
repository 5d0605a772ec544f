"""What planners write into tables as words is told in the reader's language."""

import pytest
from django.utils.translation import override

from apps.dashboards.naming import Directory
from apps.dashboards.plans import _cell
from apps.planning.planners import purchase_words
from apps.planning.registry import planner_of


@pytest.mark.parametrize("way", purchase_words.WAYS.values())
def test_ways_to_buy_are_told_in_chinese(way):
    (shape,) = (shape for shape in planner_of("purchase").tables if shape.name == "mix")
    (column,) = (column for column in shape.columns if column.name == "way")
    with override("zh-hans"):
        assert _cell(way, column.kind, Directory({}, {})).text != way
    with override("en"):
        assert _cell(way, column.kind, Directory({}, {})).text == way
