"""The search box: what is found, by whom, and that nobody learns a name of another team's."""

import re

import pytest

from tests.dashboards import company
from tests.dashboards.test_browser import visit  # noqa: F401  # a fixture
from tests.operations.worlds import a_finding, one, recommend


def found(client, text: str, address: str = "/search/suggestions/") -> list[str]:
    """The addresses of what is found."""
    answer = client.get(address, {"q": text})
    assert answer.status_code == 200
    return re.findall(r'data-url="([^"]+)"|<a class="lines__what" href="([^"]+)"', answer.content.decode())


def addresses(client, text: str) -> list[str]:
    return [first or second for first, second in found(client, text)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("直播课堂", "/teams/live-class/", id="a team by its title"),
        pytest.param("LIVE-CL", "/teams/live-class/", id="by its name, however written"),
        pytest.param("classroom", "/teams/live-class/namespaces/online/classroom/", id="a namespace"),
        pytest.param("media online", "/teams/live-class/namespaces/online/classroom/", id="a workload by two words"),
        pytest.param("unalloc", "/teams/unallocated/", id="what nobody owns"),
        pytest.param("Recon", "/reconciliation/", id="a page"),
        pytest.param("", None, id="nothing asked"),
        pytest.param("no such thing", None, id="nothing found"),
    ],
)
def test_what_finance_finds(published, client_of, text, address):
    told = addresses(client_of("finance"), text)
    assert (address in told) if address else told == []


@pytest.mark.parametrize("text", ["search", "homework", "ranker", "gpu", "nobody", "Reconciliation", "韩梅梅"])
def test_a_lead_finds_nothing_of_others(published, client_of, text):
    for address in ("/search/", "/search/suggestions/"):
        body = client_of("lilei").get(address, {"q": text}).content.decode()
        body = re.sub(r'<form class="search".*?</form>|<script.*?</script>', "", body, flags=re.DOTALL)
        assert not re.search(r"/teams/search|homework/|ranker<|/reconciliation/", body)


def test_a_recommendation_is_found_by_its_number_by_those_who_may_know_of_it(published, client_of):
    recommend(a_finding("vm", team="search"))
    number = one("vm").pk
    address = f"/recommendations/{number}/"
    assert addresses(client_of("finance"), f"#{number}") == [address]
    assert address in addresses(client_of("hanmeimei"), str(number))
    assert addresses(client_of("lilei"), f"#{number}") == []


def test_a_resource_is_found_where_it_costs_most_and_leads_to_what_it_cost(home, db):
    from tests.api.opencost import hire, publish_world

    publish_world()
    boss = hire()["boss by session"]
    (address,) = [told for told in addresses(boss, "i-n1") if told.startswith("/explain/")]
    assert "service=" in address
    assert boss.get(address.replace("&amp;", "&")).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "%_*?[",
        "\x01\x07",
        "\u202e",
        "#" * 500,
        "9" * 40,
        "a " * 90,
        "{{7*7}}",
    ],
)
def test_a_hostile_search_is_safe(people, client_of, text):
    company.publish(company.HOSTILE_COMPANY)
    for address in ("/search/", "/search/suggestions/"):
        answer = client_of("staff").get(address, {"q": text})
        assert answer.status_code == 200
        assert "<script>alert" not in answer.content.decode()


def test_without_scripts_and_without_data_there_is_a_page(people, client_of):
    body = client_of("staff").get("/search/?q=sources").content.decode()
    assert 'href="/sources/"' in body
    assert 'name="q"' in body


def test_who_belongs_nowhere_finds_nothing(published, client_of):
    assert client_of("newcomer").get("/search/suggestions/?q=a").status_code == 403


def test_the_box_suggests_by_keys_and_leads_on(visit):  # noqa: F811
    """A combobox as ARIA has it: the focus stays in the box, which names the option that Enter would follow."""
    company.publish()
    page = visit("/runs/")
    box = page.locator("[role=combobox]")
    box.fill("classroom")
    page.wait_for_selector("#search-list:not([hidden]) [role=option]")
    assert box.get_attribute("aria-expanded") == "true"
    box.press("ArrowUp")  # from nothing to the last
    last = page.locator("#search-list [role=option]").last
    assert box.get_attribute("aria-activedescendant") == last.get_attribute("id")
    box.press("ArrowDown")  # and round to the first
    assert page.locator("[aria-selected=true]").inner_text().startswith("classroom")
    box.press("Escape")
    assert (box.get_attribute("aria-expanded"), box.input_value()) == ("false", "classroom")
    box.press("ArrowDown")
    page.wait_for_selector("#search-list:not([hidden])")
    box.press("ArrowDown")
    box.press("Enter")
    page.wait_for_url("**/teams/live-class/namespaces/online/classroom/")
    box.fill("ranker")
    box.press("Enter")  # nothing chosen: the page of all that fits
    page.wait_for_url("**/search/?q=ranker")
