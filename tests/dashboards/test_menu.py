"""The menu: everybody is offered the pages they may open, and knows where they are."""

import re

import pytest
from django.urls import reverse

from apps.dashboards.menu import MENU, Offered, menu
from apps.teams.roles import Can

PAGES = [page for _, pages in MENU for page in pages]


def offered(body: str) -> set[str]:
    menus = re.findall(r'<nav class="(?:top__nav|pages)".*?</nav>', body, re.DOTALL)
    return set(re.findall(r'href="([^"]+)"', " ".join(menus)))


@pytest.mark.parametrize("who", ["lilei", "finance", "staff"])
def test_every_page_that_is_offered_opens(published, client_of, who):
    client = client_of(who)
    seen, todo = set(), {"/"}
    while todo:
        address = todo.pop()
        seen.add(address)
        answer = client.get(address)
        assert answer.status_code == 200, address
        todo |= offered(answer.content.decode()) - seen
    allowed = [page for page in PAGES if who == "staff" or page.can is None]
    assert seen == {reverse(page.name) for page in allowed if who != "lilei" or not page.for_everything}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_one_knows_where_one_is(page):
    for here in (page.name, *page.under):
        found = menu(here, Offered(frozenset(Can)))
        (group,) = [(title, pages) for title, pages in MENU if page in pages]
        is_alone = len(group[1]) == 1  # its group leads to it, and shows no second row
        shown, title = (found.groups, group[0]) if is_alone else (found.pages, page.title)
        assert [link.title for link in shown if link.is_here] == [title]
        assert sum(group.is_around for group in found.groups) == 1


def test_a_page_outside_the_menu_stands_in_no_group():
    found = menu("login", Offered(frozenset({Can.SEE_COST})))
    assert not found.pages
    assert not any(group.is_around or group.is_here for group in found.groups)
