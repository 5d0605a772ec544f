"""Annotations: who may write beside days and who reads them, from a form, a file and the terminal."""

import io
import zipfile
from dataclasses import replace
from datetime import date
from urllib.parse import quote

import pytest

from apps.dashboards.explaining import about
from apps.explorer import annotating
from apps.explorer.models import Annotation
from apps.marts.query import EVERYTHING, CostQuery, Scope
from apps.teams.approval import Actor, NotYours
from tests.dashboards import company

EVENTS = b"date,title,team,link\n2026-10-05,Release,live-class,https://ci.example/1\n2026-10-10,Promotion,,\n"


def told(client) -> list[str]:
    return [row["text"] for row in client.get("/api/v1/annotations/").json()["rows"]]


def test_annotations_are_seen_by_the_team_and_those_of_the_company_by_all(published, client_of):
    response = client_of("finance").post("/api/v1/annotations/file/?name=events.csv", EVENTS, content_type="text/csv")
    assert (response.status_code, response.json()["added"]) == (201, 2)
    assert told(client_of("lilei")) == ["Release", "Promotion"]
    assert told(client_of("hanmeimei")) == ["Promotion"]
    figure = client_of("lilei").get("/figures/explorer/?period=month").json()["layout"]
    assert [note["text"] for note in figure["annotations"]] == ["1", "2"]
    on_page = client_of("hanmeimei").get("/explorer/?period=month").content.decode()
    assert "Promotion" in on_page
    assert "Release" not in on_page
    trend = client_of("hanmeimei").get("/figures/overview/team/?period=month").json()["layout"]
    assert [note["hovertext"] for note in trend["annotations"]] == ["2026-10-10 Promotion"]


@pytest.mark.parametrize(
    ("asked", "marks"),
    [
        pytest.param("", ["Release", "Answers", "Promotion"], id="of everything"),
        pytest.param("&team=search", ["Answers", "Promotion"], id="of one team and the company"),
        pytest.param("&exclude[team]=live-class", ["Answers", "Promotion"], id="of all but one team"),
        pytest.param("&exclude[team]=live-class,search", ["Promotion"], id="of all but these"),
    ],
)
def test_beside_a_question_stands_what_was_written_about_its_teams(published, client_of, asked, marks):
    finance = client_of("finance")
    events = EVENTS.replace(b"2026-10-10", b"2026-10-07,Answers,search,\n2026-10-10")
    finance.post("/api/v1/annotations/file/", events, content_type="text/csv")
    page = finance.get(f"/explorer/?period=month{asked}")
    assert [note.kept.text for note in page.context["page"].notes] == marks
    drawn = finance.get(f"/figures/explorer/?period=month{asked}").json()["layout"]["annotations"]
    assert [note["hovertext"].split(" ", 1)[1] for note in drawn] == marks


def test_the_same_file_again_changes_nothing(published, client_of):
    finance = client_of("finance")
    first, second = (
        finance.post("/api/v1/annotations/file/", EVENTS, content_type="text/csv").json()["added"] for _ in range(2)
    )
    assert (first, second, Annotation.objects.count()) == (2, 0, 2)


def test_what_two_wrote_at_the_same_time_is_written_again_without_harm(published, client_of):
    given = {"first": date(2026, 10, 5), "last": date(2026, 10, 5), "text": "twice"}
    for _ in range(2):
        Annotation.objects.create(**given, author="finance", written_at=company.MOMENT)
    again = client_of("finance").post("/api/v1/annotations/?first=2026-10-05&text=twice")
    assert (again.status_code, Annotation.objects.count()) == (200, 2)


@pytest.mark.parametrize(
    ("who", "given", "status"),
    [
        ("lilei", "first=2026-10-05&text=ours&team=live-class", 201),
        ("lilei", "first=2026-10-05&text=theirs&team=search", 403),
        pytest.param("lilei", "first=2026-10-05&text=x&team=nobody", 403, id="whether a team exists is not told"),
        ("lilei", "first=2026-10-05&text=company", 403),
        ("finance", "first=2026-10-05&text=company", 201),
        ("finance", "first=2026-10-05&text=x&team=nobody", 400),
        ("finance", "first=2026-10-05&last=2026-10-04&text=x", 400),
        ("finance", "first=2026-10-05&text=", 400),
        ("finance", "text=x", 400),
        ("finance", f"first=2026-10-05&text=x&link={quote('javascript:alert(1)')}", 400),
    ],
)
def test_who_may_annotate_what(published, client_of, who, given, status):
    assert client_of(who).post(f"/api/v1/annotations/?{given}").status_code == status
    assert Annotation.objects.count() == (status == 201)


@pytest.mark.parametrize(
    "address",
    [
        "/explorer/?period=month&team=search",
        "/explorer/?period=custom&start=2026-10-01&last=2026-10-30&team=search&by=service",
        "/explorer/?period=month&exclude[team]=search",
        "/why/?start=2026-10-01&end=2026-10-31&team=search",
    ],
)
def test_what_a_team_of_others_is_called_is_not_told(published, client_of, address):
    assert "Homework search" not in client_of("lilei").get(address).content.decode()
    assert "Homework search" in client_of("finance").get(address).content.decode()


@pytest.mark.parametrize("how", ["filters", "excludes"])
def test_nor_is_it_by_an_explanation(people, how):
    asked = CostQuery(date(2026, 10, 1), date(2026, 10, 31), **{how: (("team", ("search",)),)})
    told = [about(replace(asked, scope=scope)) for scope in (EVERYTHING, Scope(frozenset({"live-class"})))]
    assert ["Homework search" in str(one) for one in told] == [True, False]


@pytest.mark.parametrize("given", [{"first": "9999-12-31"}, {"first": "2026-10-05", "last": "9999-12-31"}])
def test_a_day_after_all_others_is_refused_on_the_page(published, client_of, given):
    written = {"action": "annotate", "text": "x", "team": "live-class", **given}
    assert client_of("lilei").post("/explorer/", written).status_code == 400


def test_an_annotation_is_deleted_by_those_who_could_have_written_it(published, client_of):
    finance, lilei, hanmeimei = (client_of(name) for name in ("finance", "lilei", "hanmeimei"))
    ours = lilei.post("/api/v1/annotations/?first=2026-10-05&text=ours&team=live-class").json()["number"]
    company_wide = finance.post("/api/v1/annotations/?first=2026-10-05&text=all").json()["number"]
    assert hanmeimei.delete(f"/api/v1/annotations/{ours}/").status_code == 404
    assert lilei.delete(f"/api/v1/annotations/{company_wide}/").status_code == 403
    assert lilei.post("/explorer/?period=month", {"action": "remove", "number": ours}).status_code == 302
    assert told(finance) == ["all"]


def test_a_wrong_line_refuses_the_whole_file_by_line_and_column(published, client_of):
    from django.core.files.uploadedfile import SimpleUploadedFile

    wrong = EVENTS + b"2026-02-30,Nothing,,\n2026-10-06,Bad link,,ftp://x\n"
    response = client_of("finance").post("/explorer/annotations/", {"table": SimpleUploadedFile("events.csv", wrong)})
    assert response.status_code == 400
    body = response.content.decode()
    assert "line 4, column date" in body
    assert "line 5, column link" in body
    assert not Annotation.objects.exists()


def test_a_workbook_made_to_unpack_without_end_is_refused(published, client_of):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sharedStrings.xml", b" " * (33 << 20))
    response = client_of("lilei").post("/api/v1/annotations/file/", packed.getvalue(), content_type="text/csv")
    assert (response.status_code, response.json()["detail"]) == (400, "upload: unpacks to more than 32 MiB.")


def test_a_file_is_read_for_those_alone_who_may_write():
    nobody = Actor("nobody", frozenset())
    with pytest.raises(NotYours, match="for the members of a team, or finance"):
        annotating.bring(b"PK\x03\x04 no workbook", "events.xlsx", by=nobody, now=company.MOMENT)


def test_annotations_at_the_terminal(published, tmp_path, capsys):
    from django.core.management import CommandError, call_command

    path = tmp_path / "events.csv"
    path.write_bytes(EVENTS)
    call_command("annotations", "import", str(path))
    call_command("annotations", "list", "--start", "2026-10-06", "--format", "csv")
    out = capsys.readouterr().out
    assert "Brought 2 annotations, 2 of them new." in out
    assert "Promotion" in out
    assert "Release," not in out
    call_command("annotations", "remove", str(Annotation.objects.get(first=date(2026, 10, 5)).pk))
    assert [one.text for one in Annotation.objects.all()] == ["Promotion"]
    with pytest.raises(CommandError, match="no annotation"):
        call_command("annotations", "remove", "1000000")
