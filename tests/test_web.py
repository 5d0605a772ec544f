"""How pages and their files travel."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.test.utils import override_settings

from costops.web import CompressedPages

LONG = "cost " * 200


@pytest.mark.parametrize(
    ("kind", "headers", "is_compressed"),
    [
        pytest.param("text/html; charset=utf-8", {}, True, id="a page"),
        pytest.param("application/json", {}, True, id="what a figure draws"),
        pytest.param("application/json", {"ETag": '"7"'}, False, id="an answer somebody may ask for again by its tag"),
        pytest.param("text/csv", {}, False, id="a download"),
    ],
)
def test_pages_are_compressed_and_nothing_else_is(kind, headers, is_compressed):
    request = RequestFactory(headers={"accept-encoding": "gzip"}).get("/")
    answer = CompressedPages(lambda _: HttpResponse(LONG, content_type=kind, headers=headers))(request)
    assert (answer.headers.get("Content-Encoding") == "gzip") is is_compressed
    assert (gzip.decompress(answer.content) if is_compressed else answer.content).decode() == LONG
    assert answer.headers.get("ETag") == headers.get("ETag")


def test_a_stream_is_left_to_flow():
    request = RequestFactory(headers={"accept-encoding": "gzip"}).get("/")
    answer = CompressedPages(lambda _: StreamingHttpResponse(iter([LONG]), content_type="text/html"))(request)
    assert "Content-Encoding" not in answer.headers


@pytest.fixture
def collected(tmp_path: Path) -> Iterator[Path]:
    """Files of pages as an installation serves them."""
    (tmp_path / "static" / "css").mkdir(parents=True)
    (tmp_path / "static" / "css" / "page.css").write_text("body { color: black; }\n" * 50)
    with override_settings(STATICFILES_DIRS=[tmp_path / "static"], STATIC_ROOT=tmp_path / "served"):
        call_command("collectstatic", "--noinput", "--verbosity", "0", "-i", "admin", "-i", "drf_spectacular_sidecar")
        yield tmp_path / "served"


def test_a_file_is_named_for_its_content_compressed_once_and_kept_for_years(db: Any, collected):
    (made,) = (collected / "css").glob("page.*.css.br")
    assert (collected / "css" / made.name.replace(".br", ".gz")).exists()
    before = made.stat().st_mtime_ns
    call_command("collectstatic", "--noinput", "--verbosity", "0", "-i", "admin", "-i", "drf_spectacular_sidecar")
    assert made.stat().st_mtime_ns == before
    answer = Client().get(f"/static/css/{made.stem}", headers={"accept-encoding": "br"})
    assert answer.headers["Content-Encoding"] == "br"
    assert "immutable" in answer.headers["Cache-Control"]
    answer.close()


def test_without_collected_files_a_page_links_to_them_by_their_own_names(db: Any):
    body = Client().get("/login/").content.decode()
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', body):
        answer = Client().get(address)
        assert answer.status_code == 200, address
        answer.close()


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("/login/", id="a page"),
        pytest.param("/", id="a redirect"),
        pytest.param("/nothing/", id="a page there is not"),
        pytest.param("/api/v1/costs/", id="a refusal of the API"),
        pytest.param("/static/css/base.css", id="a file"),
        pytest.param("/admin/login/", id="the admin"),
        pytest.param("/healthz", id="an answer for machines"),
    ],
)
def test_every_answer_carries_a_policy_that_lets_nothing_inline_run(db: Any, address):
    answer = Client().get(address)
    answer.close()
    policy = answer.headers["Content-Security-Policy"]
    told = dict(each.strip().partition(" ")[::2] for each in policy.split(";"))
    assert (told["default-src"], told["script-src"], told["style-src"]) == ("'none'", "'self'", "'self'")
    assert "unsafe" not in policy
