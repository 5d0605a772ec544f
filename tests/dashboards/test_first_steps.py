"""The first steps: from an empty database to the first published number, in requests and in a browser."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.dashboards import first_steps
from tests.dashboards.test_browser import OVERFLOW, visit  # noqa: F401  # a fixture
from tests.ingest.bills import bill, row

TAKE = "/first-steps/take/"


@pytest.fixture(autouse=True)
def no_bells(monkeypatch: Any) -> None:
    """No worker listens here."""
    from apps.dashboards import first_steps_views, run_views, source_views

    for module in (first_steps_views, run_views, source_views):
        monkeypatch.setattr(module, "ring", lambda: None)


@pytest.fixture
def nobody_pays(people: Any) -> None:
    """The people, and no team yet."""
    from apps.teams.models import Team

    Team.objects.all().delete()


def stage(client: Any) -> list[str]:
    (found,) = re.findall(r"stage=([\w-]+)", client.get("/first-steps/progress/").content.decode())
    return found.split("-")


def work() -> None:
    from apps.pipeline.services import fill
    from tests.ingest.bills import NOW

    fill(now=NOW, steps=("land", "normalize", "meter", "allocate", "estimate", "publish"))


def test_an_empty_installation_leads_to_its_first_steps(people, client_of):
    assert client_of("staff").get("/").headers["Location"] == "/first-steps/"
    waiting = client_of("lilei").get("/")
    assert waiting.status_code == 200
    assert "You need not do anything" in waiting.content.decode()


def test_each_step_is_done_now_or_next(nobody_pays, client_of):
    staff = client_of("staff")
    assert stage(staff) == ["now", "next", "may", "next", "next"]
    assert staff.post(TAKE, {"step": "source", "kind": "focus", "name": "bill"}).status_code == 302
    assert stage(staff) == ["done", "now", "may", "next", "next"]
    given = SimpleUploadedFile("october.csv", bill(row("3.25"), row("1")))
    assert staff.post("/sources/upload/", {"source": "bill", "files": given}).status_code == 302
    work()
    assert stage(staff) == ["done", "done", "may", "done", "done"]
    body = staff.get("/first-steps/").content.decode()
    assert 'title="4.250000000000"' in body
    assert staff.get("/").status_code == 200


def test_a_refused_file_is_named_with_its_line(people, client_of):
    staff = client_of("staff")
    staff.post(TAKE, {"step": "source", "kind": "focus", "name": "bill"})
    staff.post("/sources/upload/", {"source": "bill", "files": SimpleUploadedFile("bad.csv", bill(row("x")))})
    work()
    assert stage(staff)[1] == "now"
    assert "line 2, column BilledCost" in staff.get("/first-steps/").content.decode()


def bring(client: Any, text: str = first_steps.TEAMS_EXAMPLE) -> Any:
    return client.post(TAKE, {"step": "teams", "file": SimpleUploadedFile("teams.yaml", text.encode())})


def test_the_example_of_teams_is_one_that_can_be_imported(nobody_pays, client_of):
    from apps.teams.models import Team

    assert bring(client_of("staff")).status_code == 302
    assert Team.objects.get(name="web").is_active


OTHERS = first_steps.TEAMS_EXAMPLE.replace("web", "data")


def publish() -> None:
    from tests.dashboards import company

    company.publish()


def import_elsewhere(tmp_path: Any, text: str) -> None:
    from apps.teams.services import import_teams
    from tests.ingest.bills import NOW

    (tmp_path / "elsewhere.yaml").write_text(text)
    import_teams(tmp_path / "elsewhere.yaml", NOW)


def test_who_brought_the_teams_corrects_them_until_something_is_published(nobody_pays, client_of):
    from apps.teams.selectors import active_teams

    staff = client_of("staff")
    assert bring(staff).status_code == 302
    assert bring(staff, OTHERS).status_code == 302
    assert [team.name for team in active_teams()] == ["data"]
    assert 'name="file"' in staff.get("/first-steps/").content.decode()
    publish()
    assert bring(staff).status_code == 400
    assert [team.name for team in active_teams()] == ["data"]
    assert "drafts of rules" in staff.get("/first-steps/").content.decode()


def test_teams_may_come_after_the_first_number(nobody_pays, client_of):
    publish()
    assert bring(client_of("staff")).status_code == 302


@pytest.mark.parametrize("brought", ["", first_steps.TEAMS_EXAMPLE], ids=["never", "other teams before"])
def test_teams_and_rules_from_elsewhere_are_not_replaced(nobody_pays, client_of, tmp_path, brought):
    from apps.teams.models import RuleSet, Team

    staff = client_of("staff")
    if brought:
        assert bring(staff).status_code == 302
    import_elsewhere(tmp_path, OTHERS)
    before = list(Team.objects.values()), list(RuleSet.objects.values())
    mine = OTHERS.replace("name: data\n", "name: data\n    lead: {name: Mine, email: staff@example.com}\n", 1)
    refused = bring(staff, mine)
    assert refused.status_code == 400
    assert "There are teams or rules already" in refused.content.decode()
    assert (list(Team.objects.values()), list(RuleSet.objects.values())) == before


def test_what_another_brought_is_not_replaced(nobody_pays, client_of):
    assert bring(client_of("staff")).status_code == 302
    assert bring(client_of("staff"), OTHERS).status_code == 400


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"step": "source", "kind": "magic", "name": "bill"}, "Choose a kind", id="no such kind"),
        pytest.param({"step": "source", "kind": "prometheus", "name": "p"}, "Choose a kind", id="not by the browser"),
        pytest.param({"step": "source", "kind": "focus", "name": "Two Words"}, "lower-case", id="no name"),
        pytest.param({"step": "teams"}, "Choose a file", id="no file"),
        pytest.param({"step": "teams", "file": ("teams.txt", b"x")}, ".yaml", id="an ending nobody reads"),
        pytest.param(
            {"step": "teams", "file": ("t.yaml", b"teams:\n  - {title: x}\n")}, "teams.yaml line 2", id="a line"
        ),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_changed(nobody_pays, client_of, given, said):
    from apps.ingest.models import Source

    told = {name: SimpleUploadedFile(*value) if isinstance(value, tuple) else value for name, value in given.items()}
    answer = client_of("staff").post(TAKE, told)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Source.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("finance", 403), ("lilei", 403), ("newcomer", 403)])
def test_staff_alone_take_steps(people, client_of, who, status):
    assert client_of(who).post(TAKE, {"step": "source", "kind": "focus", "name": "bill"}).status_code == status


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(1440, "light", "en"), (390, "dark", "zh-hans")], ids=["wide", "narrow"]
)
def test_from_nothing_to_the_first_number_in_a_browser(nobody_pays, visit, home, tmp_path, width, scheme, language):  # noqa: F811
    (tmp_path / "october.csv").write_bytes(bill(row("3.25"), row("1")))
    (tmp_path / "teams.yaml").write_text(first_steps.TEAMS_EXAMPLE)
    page = visit("/", width=width, scheme=scheme, language=language)
    page.click("#step-source button[type=submit]")
    page.wait_for_selector("#step-bill[aria-current=step]")
    page.set_input_files("#step-bill input[type=file]", tmp_path / "october.csv")
    page.click("#step-bill button[type=submit]")
    page.wait_for_selector("#step-fill .work")
    assert page.evaluate(OVERFLOW) == 0
    page.set_input_files("#step-teams input[type=file]", tmp_path / "teams.yaml")
    page.click("#step-teams button[type=submit]")
    page.wait_for_selector("#step-teams.path__step--done")
    work()
    page.wait_for_selector("#step-number.path__step--done")  # the page looks again by itself
    assert "4.25" in page.text_content("#step-number")
    assert page.evaluate(OVERFLOW) == 0
    page.click("#step-number a.primary")
    page.wait_for_selector(".cards")
    assert "4.25" in page.text_content(".cards")
