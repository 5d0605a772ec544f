"""The archive: what was mailed is what is kept, by role, for those who may read it and nobody else."""

import io
import re
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from openpyxl import load_workbook

from apps.reports import archive, fonts, recipients, services
from apps.reports.archive import Wanted
from apps.reports.models import Content, Delivery, Part, Report, Subscription
from apps.reports.recipients import Target, addressees, got, targets, unsubscribe_url
from apps.teams.models import Membership, Team
from apps.teams.roles import FINANCE
from tests.operations.worlds import a_finding, recommend
from tests.reports.weeks_of_cost import WEEK, five_weeks, hire_lead, other_cost, publish_weeks

MONDAY_8 = datetime(2026, 11, 2, 8, tzinfo=UTC)
CANARY = "4711.13"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def people(transactional_db: None, home: Path) -> dict[str, User]:
    """Two teams with leads, finance, management, and somebody of no team; a canary in the cost of the second team."""
    publish_weeks([*five_weeks(), other_cost(WEEK.start, CANARY)])
    live, data = hire_lead(), hire_lead("data-platform", title="数据平台")
    found = {name: User.objects.create_user(name, f"{name}@example.com") for name in ("wang", "zhao", "nobody")}
    found["lilei"] = User.objects.create_user("lilei", "live-class@example.com")
    found["hanmeimei"] = User.objects.create_user("hanmeimei", "data-platform@example.com")
    for name, team in (("lilei", live), ("hanmeimei", data)):
        Membership.objects.create(user=found[name], team=team)
    for name, group in (("wang", FINANCE), ("zhao", recipients.MANAGEMENT)):
        found[name].groups.add(Group.objects.get_or_create(name=group)[0])
    return found


@pytest.fixture
def _without_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without a Chinese font: faster."""
    monkeypatch.setattr(fonts, "chinese", dict)


def send() -> list[str]:
    return [outcome.result for outcome in services.send_due(lambda: MONDAY_8)]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def letter_of(report: str, team: str = "") -> Delivery:
    return Delivery.objects.get(report=report, team=team)


def test_the_mail_server_receives_exactly_what_the_archive_shows(people: dict[str, User], mailbox: Any) -> None:
    recommend(a_finding("disk-1", team="live-class"))
    publish_weeks([*five_weeks(), other_cost(WEEK.start, CANARY)])
    assert send() == ["sent"] * 4
    readers = {"live-class@example.com": "lilei", "data-platform@example.com": "hanmeimei",
               "wang@example.com": "wang", "zhao@example.com": "zhao"}  # fmt: skip
    assert {address for addresses in mailbox.recipients for address in addresses} == set(readers)
    for mail in mailbox.messages:
        received = [part for part in mail.walk() if not part.is_multipart()]
        (address,) = [one.addr_spec for one in mail["To"].addresses]
        found = Delivery.objects.get(recipient=address)
        client = client_of(people[readers[address]])
        kept = list(found.parts.order_by("place"))
        assert [part.get_content_type() for part in received] == [one.content_type for one in kept]
        assert len(kept) == 5
        for part, one in zip(received, kept, strict=True):
            shown = client.get(f"/reports/letters/{found.pk}/parts/{one.name}").content
            data = part.get_payload(decode=True)  # SMTP ends lines of text by CRLF
            assert (data.replace(b"\r\n", b"\n") if part.get_content_maintype() == "text" else data) == shown
            assert client.get(f"/api/v1/reports/{found.pk}/parts/{one.name}/").content == shown
        assert (mail["Subject"].strip(), mail["Message-ID"]) == (found.subject, found.message_id)
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail["List-Unsubscribe"].strip() == f"<{unsubscribe_url(found.report, found.team, address)}>"


@pytest.mark.usefixtures("_without_pdf")
def test_each_reads_the_letters_of_what_they_may_see_and_others_are_not_there(
    people: dict[str, User], mailbox: Any
) -> None:
    send()
    may = {
        "lilei": {("lead", "live-class")},
        "hanmeimei": {("lead", "data-platform")},
        "zhao": {("management", "")},
        "wang": {("lead", "live-class"), ("lead", "data-platform"), ("finance", ""), ("management", "")},
        "nobody": set(),
    }
    for name, seen in may.items():
        client = client_of(people[name])
        listed = client.get("/api/v1/reports/").json()
        assert {(row["role"], row["team"]) for row in listed["rows"]} == seen, name
        assert listed["page"]["rows_total"] == len(seen)
        page = client.get("/reports/").content.decode()
        for found in Delivery.objects.all():
            expected = 200 if (found.report, found.team) in seen else 404
            addresses = [f"/reports/letters/{found.pk}/", f"/reports/letters/{found.pk}/page/",
                         f"/reports/letters/{found.pk}/parts/letter.html", f"/api/v1/reports/{found.pk}/"]  # fmt: skip
            assert [client.get(address).status_code for address in addresses] == [expected] * 4, name
            assert (addresses[0] in page) == (expected == 200)
    assert Client().get("/reports/").status_code == 302
    assert Client().get("/api/v1/reports/").status_code == 401


def test_a_lead_never_receives_another_teams_numbers(people: dict[str, User], mailbox: Any) -> None:
    send()
    told = {"live-class@example.com": "700.04", "data-platform@example.com": "4,711.13"}
    for mail in mailbox.messages:
        (address,) = [one.addr_spec for one in mail["To"].addresses]
        if address in told:
            texts = texts_of(mail)
            (foreign,) = set(told.values()) - {told[address]}
            assert any(told[address] in text for text in texts.values())
            assert [name for name, text in texts.items() if foreign in text or foreign.replace(",", "") in text] == []
            stranger = "数据平台" if address.startswith("live") else "直播课堂"
            assert [name for name, text in texts.items() if stranger in text] == []


def texts_of(mail: Any) -> dict[str, str]:
    """What can be read of a mail, its PDF and its workbook."""
    found = {"head": str(mail["Subject"])}
    for part in mail.walk():
        data = part.get_payload(decode=True) or b""
        match part.get_content_type():
            case "text/plain" | "text/html":
                found[part.get_content_type()] = data.decode()
            case "application/pdf":
                found["pdf"] = pdf_text(data)
            case content_type if content_type == SHEET:
                book = load_workbook(io.BytesIO(data))
                cells = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row]
                found["sheet"] = "\n".join(cells)
    return found


def pdf_text(data: bytes) -> str:
    return subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=data, capture_output=True, check=True
    ).stdout.decode()


def table(data: bytes, sheet: str) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in load_workbook(io.BytesIO(data))[sheet].iter_rows()]


def attached(delivery: Delivery, ending: str) -> bytes:
    return bytes(Part.objects.get(delivery=delivery, name__endswith=ending).content.data)


def test_the_workbook_holds_numbers_that_add_up_to_the_apis(people: dict[str, User], mailbox: Any) -> None:
    send()
    finance = client_of(people["wang"])
    asked = f"start={WEEK.start}&end={WEEK.end}&group_by=team"
    api = {row["team"]: Decimal(row["effective_cost"]) for row in finance.get(f"/api/v1/costs/?{asked}").json()["rows"]}
    head, *rows, total = table(attached(letter_of("finance"), ".xlsx"), "Teams CNY")
    assert head[:2] == ["Team", "CNY"]
    told = {row[0]: row[1] for row in rows}
    assert all(isinstance(amount, int | float) for amount in told.values())
    assert {Decimal(str(amount)) for amount in told.values()} == set(api.values())
    assert Decimal(str(total[1])) == sum(api.values())
    head, *rows, total = table(attached(letter_of("lead", "live-class"), ".xlsx"), "Namespaces CNY")
    assert sum(Decimal(str(row[1])) for row in rows) == Decimal(str(total[1])) == api["live-class"]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_pdf_of_every_role_is_drawn_with_its_words(
    people: dict[str, User], mailbox: Any, tmp_path: Path, language: str
) -> None:
    for name in ("lilei", "wang", "zhao"):
        recipients.read_in(people[name], language)
    send()
    said = {
        "en": {"lead": "Largest namespaces", "finance": "Do the books tie out?", "management": "Cost at a glance"},
        "zh-hans": {"lead": "成本最高的命名空间", "finance": "账目对得上吗", "management": "成本概览"},
    }[language]
    for found in Delivery.objects.filter(
        recipient__in=["live-class@example.com", "wang@example.com", "zhao@example.com"]
    ):
        data = attached(found, ".pdf")
        text = pdf_text(data)
        assert said[found.report] in text
        assert re.search(r"1\s*/\s*\d", text), "pages are numbered"
        assert str(found.publication) in text
        file = tmp_path / f"{found.report}.pdf"
        file.write_bytes(data)
        subprocess.run(["pdftoppm", "-r", "40", "-gray", str(file), str(tmp_path / found.report)], check=True)
        pages = sorted(tmp_path.glob(f"{found.report}-*.pgm"))
        assert pages
        assert all(len(set(page.read_bytes()[-100_000:])) > 20 for page in pages), "something is drawn on each"
        if found.report == "management":
            assert len(pages) == 1


@pytest.mark.usefixtures("_without_pdf")
def test_without_a_font_the_mail_says_why_there_is_no_pdf(people: dict[str, User], mailbox: Any) -> None:
    send()
    found = letter_of("lead", "live-class")
    names = list(found.parts.order_by("place").values_list("name", flat=True))
    assert [name.rpartition(".")[2] for name in names] == ["txt", "html", "png", "xlsx"]
    for name in names[:2]:
        text = bytes(archive.part(found, name).content.data).decode()
        assert "There is no PDF of this report: the server has no font that draws its letters." in text


@pytest.mark.usefixtures("_without_pdf")
def test_a_stranger_reads_the_letter_without_the_signature_that_ends_it(people: dict[str, User], mailbox: Any) -> None:
    send()
    found = letter_of("lead", "live-class")
    token = unsubscribe_url("lead", "live-class", found.recipient).split("/")[-2]
    address = f"/reports/letters/{found.pk}/parts/letter.html"
    assert token in client_of(people["lilei"]).get(address).content.decode()
    seen = client_of(people["wang"]).get(address).content.decode()
    assert (token in seen, "/reports/unsubscribe/withheld/" in seen) == (False, True)
    assert token not in client_of(people["wang"]).get(f"/reports/letters/{found.pk}/page/").content.decode()


@pytest.mark.usefixtures("_without_pdf")
def test_one_click_ends_a_report_and_is_undone(people: dict[str, User], mailbox: Any) -> None:
    url = unsubscribe_url("lead", "live-class", "live-class@example.com").partition("8000")[2]
    asked = Client(enforce_csrf_checks=True)
    target = next(one for one in targets() if one.name == "live-class")
    assert "live-class@example.com" in asked.get(url).content.decode()
    assert len(addressees(target)) == 1, "a GET, as of a scanner of links, ends nothing"
    assert asked.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert addressees(target) == []
    assert send() == ["sent"] * 3
    assert asked.post(url, {"again": "yes"}).status_code == 200
    assert [one.address for one in addressees(target)] == ["live-class@example.com"]


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda token: token[:-1] + ("a" if token[-1] != "a" else "b"), id="another signature"),
        pytest.param(lambda token: "x" + token, id="other words"),
        pytest.param(lambda _token: "withheld", id="what strangers are shown"),
        pytest.param(lambda token: token.split(":")[0], id="no signature"),
    ],
)
def test_a_link_to_unsubscribe_cannot_be_forged(db: None, forge: Any) -> None:
    token = unsubscribe_url("lead", "live-class", "live-class@example.com").split("/")[-2]
    address = f"/reports/unsubscribe/{forge(token)}/"
    assert [Client().get(address).status_code, Client().post(address).status_code] == [404, 404]
    assert not Subscription.objects.exists()


def test_who_may_read_a_report_may_ask_for_it_and_loses_it_with_the_right(people: dict[str, User]) -> None:
    live = next(one for one in targets() if one.name == "live-class")
    now = MONDAY_8
    with pytest.raises(recipients.NotForYou):
        recipients.wish(people["hanmeimei"], live, is_wanted=True, by="hanmeimei", now=now)
    membership = Membership.objects.create(user=people["hanmeimei"], team=Team.objects.get(name="live-class"))
    recipients.wish(people["hanmeimei"], live, is_wanted=True, by="hanmeimei", now=now)
    assert [one.address for one in addressees(live)] == ["live-class@example.com", "data-platform@example.com"]
    membership.delete()
    assert [one.address for one in addressees(live)] == ["live-class@example.com"]


def test_what_one_gets_is_what_is_sent_to_one(people: dict[str, User]) -> None:
    for user, target, is_wanted in (
        ("wang", Target(Report.MANAGEMENT), True), ("wang", Target(Report.FINANCE), False),
        ("lilei", next(one for one in targets() if one.name == "live-class"), False),
    ):  # fmt: skip
        recipients.wish(people[user], target, is_wanted=is_wanted, by=user, now=MONDAY_8)
    for user in people.values():
        sent = {(one.report, one.name) for one in targets() if user.email in {who.address for who in addressees(one)}}
        assert got(user) == sent


def test_the_page_of_what_one_gets_changes_it_and_the_language(people: dict[str, User]) -> None:
    client = client_of(people["wang"])
    page = client.get("/reports/subscriptions/").content.decode()
    assert 'value="finance:"' in page
    client.post(
        "/reports/subscriptions/", {"wanted": ["management:"], "other": "lead:live-class", "language": "zh-hans"}
    )
    assert got(people["wang"]) == {("management", ""), ("lead", "live-class")}
    assert recipients.language_of(people["wang"]) == "zh-hans"
    client_of(people["nobody"]).post("/reports/subscriptions/", {"wanted": ["finance:"], "other": "lead:live-class"})
    assert got(people["nobody"]) == set(), "nobody gets what they may not read"


@pytest.mark.usefixtures("_without_pdf")
def test_a_test_goes_to_the_one_who_asks_is_marked_and_in_no_ledger(people: dict[str, User], mailbox: Any) -> None:
    client = client_of(people["lilei"])
    asked = {"target": "lead:live-class", "week": "2026-W44"}
    assert "A test was sent to live-class@example.com." in client.post("/reports/", asked).content.decode()
    (mail,) = mailbox.messages
    assert mailbox.recipients == [["live-class@example.com"]]
    assert str(mail["Subject"]).strip().startswith("[Test] ")
    assert "This is a test that you asked for" in texts_of(mail)["text/plain"]
    assert mail["List-Unsubscribe"] is None
    assert not Delivery.objects.exists()
    assert client.post("/reports/", {"target": "finance:", "week": "2026-W44"}).status_code == 404
    assert len(mailbox.messages) == 1


def test_why_no_test_is_sent_is_told_in_the_readers_language(people: dict[str, User], mailbox: Any) -> None:
    User.objects.filter(pk=people["lilei"].pk).update(email="")
    asked = {"target": "lead:live-class", "week": "2026-W44"}
    for language, told in (("zh-hans", "没有邮箱地址；请管理员录入。"), ("en", "has no e-mail address; an admin")):
        answer = client_of(people["lilei"]).post("/reports/", asked, headers={"accept-language": language})
        assert answer.status_code == 409
        assert told in answer.content.decode()


@pytest.mark.usefixtures("_without_pdf")
def test_letters_are_kept_without_mailing_and_mailed_later_as_kept(people: dict[str, User], mailbox: Any) -> None:
    call_command("reports", "keep", "--week", "2026-W44")
    assert mailbox.messages == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {"kept"}
    before = list(Part.objects.order_by("pk").values_list("pk", "content_id"))
    call_command("reports", "keep", "--week", "2026-W44")
    call_command("reports", "send", "--week", "2026-W44")
    assert len(mailbox.messages) == 4
    assert list(Part.objects.order_by("pk").values_list("pk", "content_id")) == before


@pytest.mark.usefixtures("_without_pdf")
def test_old_letters_are_forgotten_and_still_not_sent_twice(people: dict[str, User], mailbox: Any) -> None:
    send()
    assert archive.prune(date(2026, 11, 2), 4) == 0
    assert archive.prune(date(2028, 11, 6), 104) > 0
    assert (Part.objects.count(), Content.objects.count()) == (0, 0)
    assert send() == ["skipped"] * 4
    assert list(archive.of_everybody(Wanted())) == []


@pytest.mark.usefixtures("_without_pdf")
def test_the_command_lists_shows_tests_and_subscribes(
    people: dict[str, User], mailbox: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    send()
    found = letter_of("finance")
    call_command("reports", "list", "--role", "finance", "--format", "csv")
    assert "wang@example.com" in capsys.readouterr().out
    call_command("reports", "show", str(found.pk))
    assert "All teams" in capsys.readouterr().out
    call_command("reports", "show", str(found.pk), "--to", str(tmp_path))
    assert (tmp_path / "letter.html").read_bytes() == bytes(archive.part(found, "letter.html").content.data)
    call_command("reports", "test", "wang", "--role", "management", "--week", "2026-W44")
    assert str(mailbox.messages[-1]["Subject"]).strip().startswith("[Test]")
    call_command("reports", "unsubscribe", "wang", "--role", "finance")
    call_command("reports", "subscribe", "wang", "--role", "lead", "--team", "live-class", "--language", "zh-hans")
    assert got(people["wang"]) == {("lead", "live-class")}
    with pytest.raises(CommandError, match="may not read"):
        call_command("reports", "subscribe", "nobody", "--role", "finance")


HOSTILE = '=HYPERLINK("//evil")\r\nBcc: evil@example.com\u202e<script>alert(1)</script>'


def test_hostile_names_stay_names_in_mail_pdf_and_workbook(people: dict[str, User], mailbox: Any) -> None:
    Team.objects.filter(name="live-class").update(title=HOSTILE, lead_name=HOSTILE)
    publish_weeks([row | {"namespace": HOSTILE} for row in five_weeks()])
    send()
    for mail in mailbox.messages:
        assert (mail["Bcc"], mail.defects) == (None, [])
        texts = texts_of(mail)
        assert "<script" not in texts["text/html"]
        assert "\u202e" not in "".join(texts.values())
    for name in ("finance", "lead"):
        book = load_workbook(io.BytesIO(attached(letter_of(name, "live-class" if name == "lead" else ""), ".xlsx")))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
        assert [cell.value for cell in cells if cell.data_type == "f"] == []
        assert all(cell.data_type == "s" for cell in cells if str(cell.value).startswith("="))
    assert "HYPERLINK" in pdf_text(attached(letter_of("lead", "live-class"), ".pdf"))


def test_weeks_are_filtered_and_what_is_no_week_is_refused(people: dict[str, User]) -> None:
    client = client_of(people["wang"])
    assert client.get("/api/v1/reports/?week=2026-W44").json()["rows"] == []
    for wrong in ("week=W44", "role=king", "colour=red"):
        assert client.get(f"/api/v1/reports/?{wrong}").status_code == 400
    assert client.get("/reports/?week=%01&team=%01").status_code == 200
