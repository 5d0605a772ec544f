"""How the client of the Prometheus API behaves towards good, large and misbehaving servers."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.ingest.prometheus.answers import to_table
from apps.ingest.prometheus.client import ATTEMPTS, MAX_POINTS, PrometheusClient
from apps.ingest.prometheus.config import PrometheusConfig
from apps.ingest.prometheus.errors import (
    BadPrometheusOption,
    PrometheusError,
    PrometheusGarbled,
    PrometheusRefused,
    PrometheusUnavailable,
    QueryTooLarge,
)
from apps.ingest.prometheus.queries import Question
from tests.ingest.prometheus_faults import FaultServer, faulty_server
from tests.servers.drops import dripping
from tests.servers.process import find_program

START = 1790812800
QUICK = {"retry_seconds": "0", "timeout_seconds": "1", "max_response_mib": "1"}


@pytest.fixture(scope="module")
def faults() -> Iterator[FaultServer]:
    with faulty_server() as server:
        yield server


def client_of(url: str, **options: str) -> PrometheusClient:
    return PrometheusClient(PrometheusConfig.from_options(url, "c", QUICK | options))


def ask(client: PrometheusClient, *, hours: int = 1) -> list[dict[str, Any]]:
    return client.range("up", start=START + 3600, end=START + hours * 3600, step=3600)


@pytest.mark.parametrize(
    ("fault", "requests"),
    [
        pytest.param("good", 1, id="a good answer is taken at once"),
        pytest.param("packed", 1, id="a packed one is"),
        pytest.param("503 twice", 3, id="a busy server is asked again"),
        pytest.param("429 once", 2, id="a server that asks for patience is asked again"),
    ],
)
def test_what_passes_is_waited_for(faults: FaultServer, fault: str, requests: int) -> None:
    with client_of(faults.url(fault)) as client:
        assert ask(client)[0]["metric"] == {"cluster": "c"}
    assert faults.requests[fault] == requests


@pytest.mark.parametrize(
    ("fault", "error", "said", "requests"),
    [
        pytest.param("503 always", PrometheusUnavailable, "failed 4 times", ATTEMPTS, id="a server that stays busy"),
        pytest.param("slow", PrometheusUnavailable, "no answer within 1 s", ATTEMPTS, id="a server that never answers"),
        pytest.param("packed by half", PrometheusUnavailable, "before its end", ATTEMPTS, id="half of a packed answer"),
        pytest.param(
            "packed otherwise",
            PrometheusUnavailable,
            "packed by 'br'",
            ATTEMPTS,
            id="packed by what we did not ask for",
        ),
        pytest.param("html", PrometheusGarbled, "not JSON .*login page", 1, id="a login page"),
        pytest.param("garbage", PrometheusGarbled, "not JSON", 1, id="half an answer"),
        pytest.param("other shape", PrometheusGarbled, "no matrix", 1, id="another shape"),
        pytest.param("list", PrometheusRefused, "no reason given", 1, id="a list"),
        pytest.param("200 with error", PrometheusRefused, "parse error at char 3", 1, id="an error that says success"),
        pytest.param("400", PrometheusRefused, "invalid parameter", 1, id="a bad query names the reason"),
        pytest.param("401", PrometheusRefused, "token", 1, id="no permission"),
        pytest.param("404", PrometheusRefused, "up to /api/v1", 1, id="another kind of server"),
        pytest.param("moved", PrometheusRefused, "redirects to", 1, id="a redirect is not followed"),
        pytest.param("too many", QueryTooLarge, "Even one hour", 1, id="one hour is too much"),
        pytest.param("huge", QueryTooLarge, "larger than 1 MiB", 1, id="an answer too large for one hour"),
        pytest.param("bomb", QueryTooLarge, "larger than 1 MiB", 1, id="a small answer that unpacks to a large one"),
    ],
)
def test_what_does_not_pass_is_said(
    faults: FaultServer, fault: str, error: type[PrometheusError], said: str, requests: int
) -> None:
    with client_of(faults.url(fault)) as client, pytest.raises(error, match=said):
        ask(client)
    assert faults.requests[fault] == requests
    assert faults.requests["good"] <= 1


def test_a_window_is_halved_until_an_hour_is_left(faults: FaultServer) -> None:
    with client_of(faults.url("too many")) as client, pytest.raises(QueryTooLarge, match="up"):
        ask(client, hours=24)
    assert faults.requests["too many"] == 6  # 24, 12, 6, 3, 2, 1


def test_warnings_of_the_server_become_problems(faults: FaultServer) -> None:
    with client_of(faults.url("warned")) as client:
        ask(client)
        ask(client)
    assert [(problem.severity, problem.subject) for problem in client.warnings] == [("warning", "up")]
    assert "store-3" in client.warnings[0].message


@pytest.mark.parametrize("fault", ["not a number", "infinite"])
def test_what_is_not_a_number_is_missing(faults: FaultServer, fault: str) -> None:
    question = Question("x", "", "up", {"cluster": "cluster", "absent": "absent"})
    with client_of(faults.url(fault)) as client:
        assert to_table(ask(client), question).num_rows == 0
    with client_of(faults.url("good")) as client:
        assert to_table(ask(client), question).to_pylist()[0]["absent"] == ""
    with client_of(faults.url("not even text")) as client, pytest.raises(PrometheusGarbled):
        to_table(ask(client), question)


@pytest.mark.parametrize("sample", [[None, "1"], ["NaN", "1"], [1e300, "1"], {"0": 1}, []], ids=str)
def test_a_sample_of_no_moment_is_said(sample: object) -> None:
    question = Question("x", "", "up", {"cluster": "cluster"})
    with pytest.raises(PrometheusGarbled, match="not a number"):
        to_table([{"metric": {}, "values": [sample]}], question)


@pytest.mark.parametrize("value", ["1_0", "\u0663", "0x10", "++1", " 1", "", None, 1.5, ["1"]], ids=repr)
def test_a_value_that_prometheus_never_writes_is_said(value: object) -> None:
    question = Question("x", "", "up", {"cluster": "cluster"})
    with pytest.raises(PrometheusGarbled, match="not a number"):
        to_table([{"metric": {}, "values": [[1, "1"], [2, value]]}], question)


def test_values_are_read_as_prometheus_writes_them() -> None:
    question = Question("x", "", "up", {"cluster": "cluster"})
    written = ["1", "0.1", "-5e-324", "1.7976931348623157e+308", "+Inf", "-Inf", "NaN", "123456789.123456789"]
    told = to_table([{"metric": {}, "values": [[at, value] for at, value in enumerate(written)]}], question)
    assert told["value"].to_pylist() == [1.0, 0.1, -5e-324, 1.7976931348623157e308, 123456789.123456789]


@pytest.mark.parametrize("part", ["headers", "body"])
def test_an_answer_that_comes_by_drops_is_given_up_at_its_deadline(part: str) -> None:
    with dripping(part) as port, client_of(f"http://127.0.0.1:{port}", timeout_seconds="1") as client:
        began = time.monotonic()
        with pytest.raises(Exception, match="came too slowly"):
            client._once("POST", "query", {"query": "up"}, 0)
    assert 4 <= time.monotonic() - began < 10


def test_what_is_sent(faults: FaultServer, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t0ken\n")
    options = {"token_file": str(token), "headers.X-Scope-OrgID": "tenant-7", "thanos": "true"}
    with client_of(faults.url("good").replace("127.0.0.1", "localhost"), **options) as client:
        ask(client)
    headers, form = faults.received[-1]
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["X-Scope-OrgID"] == "tenant-7"
    assert headers["Host"] == f"localhost:{faults.port}"
    assert form["dedup"] == ["true"]
    assert form["partial_response"] == ["false"]
    (tmp_path / "pw").write_text("secret")
    with client_of(faults.url("good"), user="li", password_file=str(tmp_path / "pw")) as client:
        ask(client)
    assert faults.received[-1][0]["Authorization"] == "Basic bGk6c2VjcmV0"


def test_proxies_of_the_environment_are_not_used(faults: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with client_of(faults.url("good")) as client:
        assert ask(client)


def test_nobody_listens() -> None:
    with (
        client_of("http://127.0.0.1:9") as client,
        pytest.raises(PrometheusUnavailable, match="Check that the server is up"),
    ):
        ask(client)


def test_only_a_trusted_certificate_for_that_very_name_is_accepted(tmp_path: Path) -> None:
    """The connection goes to a checked address, yet the certificate must be for the name in the location."""
    pem = tmp_path / "server.pem"
    make = [find_program("openssl", package="openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    make += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext"]
    make += ["subjectAltName=DNS:localhost", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "certificate")]
    subprocess.run(make, check=True, capture_output=True)
    pem.write_text((tmp_path / "key").read_text() + (tmp_path / "certificate").read_text())
    ca = str(tmp_path / "certificate")
    with faulty_server(pem) as server:
        url = server.url("good")
        named = url.replace("127.0.0.1", "localhost")
        with client_of(named, ca_file=ca) as client:
            assert ask(client)
        with client_of(named) as client, pytest.raises(PrometheusUnavailable, match="self-signed"):
            ask(client)
        with client_of(url, ca_file=ca) as client, pytest.raises(PrometheusUnavailable, match="IP address mismatch"):
            ask(client)
        assert server.requests["good"] == 1
    with pytest.raises(BadPrometheusOption, match="no usable certificate"):
        client_of("https://localhost", ca_file=str(tmp_path / "key"))


# --- A real server ------------------------------------------------------------------------------------------------
SAMPLES = (f'x{{pod="{pod}"}} {second % 7} {START + second}' for pod in "abc" for second in range(0, 259_200, 60))
HISTORY = "\n".join(["# TYPE x gauge", *SAMPLES, "# EOF", ""])


@pytest.fixture(scope="module")
def small_server(prometheus_server: Callable[..., Any]) -> Any:
    return prometheus_server([HISTORY], flags=["--query.max-samples=200"])


@pytest.fixture(scope="module")
def large_server(
    prometheus_server: Callable[..., Any], small_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    return prometheus_server([HISTORY])


def test_a_long_window_passes_below_the_limit_of_points(large_server: Any) -> None:
    with client_of(large_server.url, max_response_mib="64", timeout_seconds="60") as client:
        series = client.range('x{pod="a"}', start=START, end=START + 259_199, step=15)
    counts = [len(one["values"]) for one in series]
    moments = [moment for one in series for moment, _value in one["values"]]
    assert len(counts) == 2
    assert max(counts) == MAX_POINTS
    assert moments == list(range(START, START + 259_199, 15))


def test_a_window_too_large_for_the_server_is_halved_and_complete(small_server: Any, large_server: Any) -> None:
    query = "sum(count_over_time(x[1h] offset 1ms))"
    with client_of(small_server.url) as small, client_of(large_server.url) as large:
        halved = small.range("x", start=START + 60, end=START + 12 * 3600, step=60)
        whole = large.range("x", start=START + 60, end=START + 12 * 3600, step=60)
        assert len(halved) > len(whole) == 3
        flat = sorted((one["metric"]["pod"], *map(str, point)) for one in halved for point in one["values"])
        assert flat == sorted((one["metric"]["pod"], *map(str, point)) for one in whole for point in one["values"])
        parts = small.over("count_over_time(x[$window])", start=START, end=START + 6 * 3600)
        assert len(parts) > 3
        assert sum(float(one["values"][0][1]) for one in parts) == 3 * 6 * 60
        assert large.range(query, start=START + 3600, end=START + 3600, step=3600)[0]["values"][0][1] == "180"


def test_the_server_tells_its_version_and_time(large_server: Any, faults: FaultServer) -> None:
    with client_of(large_server.url) as client:
        assert client.build_version().startswith("2.")
        assert client.now() > START
    with client_of(faults.url("404")) as client:
        assert client.build_version() == ""
    with client_of(faults.url("scalar as vector")) as client:
        assert client.now() == START
