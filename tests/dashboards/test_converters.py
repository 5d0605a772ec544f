"""Names in addresses: any name leads to its own page and back."""

import pytest
from django.urls import resolve, reverse
from hypothesis import example, given
from hypothesis import strategies as st

from apps.dashboards.converters import NameConverter

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(NAMES)
@example("")
@example("~")
@example("~0")
@example("~5")
@example("..")
@example("a/b")
@example("\n")
def test_a_name_survives_its_address(name):
    converter = NameConverter()
    assert converter.to_python(converter.to_url(name)) == name
    assert "/" not in converter.to_url(name)


@pytest.mark.parametrize("names", [("live-class", "online", ""), ("..", "~", "a/b"), ("直播", "{{7*7}}", "<b>%2F?#")])
def test_a_page_is_found_by_the_names_it_was_made_of(names):
    from urllib.parse import unquote

    found = resolve(unquote(reverse("namespace", args=names)))
    assert (found.url_name, tuple(found.kwargs.values())) == ("namespace", names)
