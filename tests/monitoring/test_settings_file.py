"""`costops.env` and its folder are taken as they were meant, or refused: never passed over, and no line is told."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from costops.reading import Environment


@pytest.fixture
def file(tmp_path):
    return tmp_path / "costops.env"


@pytest.fixture
def read(file, monkeypatch):
    """What the environment holds after the file was read as settings do."""
    monkeypatch.setattr(Environment, "ENVIRON", {"COSTOPS_LANGUAGE": "zh-hans"})

    def values():
        Environment().read_file(file)
        return Environment.ENVIRON

    return values


@pytest.mark.parametrize(
    ("text", "company"),
    [
        pytest.param("COSTOPS_COMPANY=Lantern", "Lantern", id="a name and its value"),
        pytest.param("export COSTOPS_COMPANY=Lantern\r\n", "Lantern", id="as a shell and Windows write it"),
        pytest.param("# ours\n  # too\n \t\n\nCOSTOPS_COMPANY=Lantern\n", "Lantern", id="comments and empty lines"),
        pytest.param("\ufeffCOSTOPS_COMPANY=Lantern\n", "Lantern", id="a mark of the byte order"),
        pytest.param("COSTOPS_COMPANY='A \"B\" #1 = C'\n", 'A "B" #1 = C', id="in quotes"),
        pytest.param('COSTOPS_COMPANY="A \\"B\\""\n', 'A "B"', id="in double quotes"),
        pytest.param("COSTOPS_COMPANY=\n", "", id="an empty value"),
        pytest.param("COSTOPS_COMPANY=灯笼\nCOSTOPS_LANGUAGE=en\n", "灯笼", id="the environment wins"),
    ],
)
def test_a_file_is_read_as_it_was_meant(file, read, text, company):
    file.write_text(text, encoding="utf-8", newline="")
    assert read() == {"COSTOPS_COMPANY": company, "COSTOPS_LANGUAGE": "zh-hans"}


def test_no_file_is_needed(read):
    assert read() == {"COSTOPS_LANGUAGE": "zh-hans"}


@pytest.mark.parametrize(
    "line",
    [
        "COSTOPS_DATABASE_URL = postgres://u:hidden@h/d",
        " COSTOPS_DATABASE_URL=postgres://u:hidden@h/d",
        "COSTOPS_DATABASE_URL: postgres://u:hidden@h/d",
        "postgres://u:hidden@h/d",
        "COSTOPS_SECRET_KEY=hidden\0",
    ],
)
def test_a_line_that_says_nothing_is_refused_by_its_number_and_not_told(file, read, caplog, line):
    file.write_text(f"COSTOPS_COMPANY=Lantern\n# hidden\n{line}\n")
    with pytest.raises(ImproperlyConfigured) as refused:
        read()
    assert str(refused.value).startswith(f"{file}, line 3: is not NAME=value")
    assert "hidden" not in f"{refused.value}{caplog.text}"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda file: file.mkdir(), "Is a directory", id="a folder, as Docker makes where none is mounted"),
        pytest.param(lambda file: file.symlink_to("/nowhere"), "No such file or directory", id="a link to nowhere"),
        pytest.param(lambda file: file.write_text("A=é", encoding="utf-16"), "it is not UTF-8", id="UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(file, read, make, said):
    make(file)
    with pytest.raises(ImproperlyConfigured) as refused:
        read()
    assert str(refused.value) == f"{file}: cannot be read ({said})."


@pytest.mark.parametrize(("given", "home"), [("site", "{here}/site"), ("", "/srv/costops"), ("/srv/a%b", "/srv/a%b")])
def test_a_home_is_a_whole_path_and_an_empty_one_is_none(monkeypatch, tmp_path, given, home):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Environment, "ENVIRON", {"COSTOPS_HOME": given})
    found = Environment().home("COSTOPS_HOME", default=Path("/srv/costops"))
    assert str(found) == home.format(here=tmp_path)
