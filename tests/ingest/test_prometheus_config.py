"""The options of a Prometheus source, and the addresses that are never asked."""

import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import promql_parser
import pytest

from apps.ingest.prometheus.config import PrometheusConfig
from apps.ingest.prometheus.errors import BadPrometheusOption
from apps.ingest.prometheus.queries import QUESTIONS, written
from apps.warehouse.addresses import is_forbidden


@pytest.mark.parametrize(
    ("location", "options", "said"),
    [
        pytest.param("ftp://prom", {}, "neither http", id="only http and https"),
        pytest.param("file:///etc/passwd", {}, "neither http", id="no files"),
        pytest.param("prom:9090", {}, "neither http", id="a scheme is needed"),
        pytest.param("http://", {}, "no host", id="a host is needed"),
        pytest.param("http://li:secret@prom", {}, "user name", id="no password in the address"),
        pytest.param("http://prom/?a=1", {}, "query or a fragment", id="no query in the address"),
        pytest.param("http://prom/\r\nX: 1", {}, "control character", id="no line breaks in the address"),
        pytest.param("http://prom:99999", {}, "not a URL", id="a port that does not exist"),
        pytest.param("http://prom", {"tokenfile": "x"}, "Unknown option 'tokenfile'", id="an unknown option is named"),
        pytest.param("http://prom", {"token": "abc"}, "Unknown option 'token'", id="no token in plain"),
        pytest.param("http://prom", {"token_file": "/no/such"}, "there is no file", id="a missing token file"),
        pytest.param("http://prom", {"timeout_seconds": "soon"}, "from 1 to 600", id="a timeout in words"),
        pytest.param("http://prom", {"timeout_seconds": "nan"}, "from 1 to 600", id="a timeout that is not a number"),
        pytest.param("http://prom", {"concurrency": "100"}, "from 1 to 8", id="too many at once"),
        pytest.param("http://prom", {"scrape_seconds": "0"}, "from 1 to 3600", id="an interval of nothing"),
        pytest.param("http://prom", {"thanos": "maybe"}, "true or false", id="a choice in words"),
        pytest.param("http://prom", {"cluster_label": 'a"b'}, "not a label name", id="a label that cannot be"),
        pytest.param("http://prom", {"state_job": 'x"} or up{a="'}, "quotes", id="a job that would leave its quotes"),
        pytest.param("http://prom", {"selector": 'a="b"} or vector(1) or up{c="d"'}, "matchers", id="a second query"),
        pytest.param("http://prom", {"selector": 'a="b" or c="d"'}, "matchers", id="an alternative"),
        pytest.param("http://prom", {"selector": "tenant=a"}, "matchers", id="a matcher without quotes"),
        pytest.param("http://prom", {"headers.Host": "x"}, "cannot be set", id="a header of our own"),
        pytest.param("http://prom", {"headers.X-A": "a\r\nb: c"}, "one line", id="two headers in one"),
        pytest.param("http://prom", {"user": "li"}, "password_file", id="a user without password"),
        pytest.param("http://prom", {"token_env": "T", "user": "li"}, "not both", id="a token and a user"),
    ],
)
def test_a_mistake_in_the_options_is_named(location: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(BadPrometheusOption, match=said) as caught:
        PrometheusConfig.from_options(location, "online", options)
    assert "secret" not in str(caught.value)


def test_secrets_are_read_when_needed_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    config = PrometheusConfig.from_options("http://prom", "online", {"token_file": str(token), "headers.X-Key": "hush"})
    assert config.authorization() == "first"
    token.write_text("rotated\n")
    assert config.authorization() == "rotated"
    assert "rotated" not in repr(config)
    assert "hush" not in repr(config)
    monkeypatch.setenv("PROM_PASSWORD", "pw")
    basic = PrometheusConfig.from_options("http://prom", "online", {"user": "li", "password_env": "PROM_PASSWORD"})
    assert basic.authorization() == ("li", "pw")
    monkeypatch.setenv("PROM_PASSWORD", "")
    with pytest.raises(BadPrometheusOption, match=r"\$PROM_PASSWORD is empty"):
        basic.authorization()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("127.0.0.1", False, id="this machine may be asked"),
        pytest.param("10.1.2.3", False, id="a private network may be asked"),
        pytest.param("100.64.0.7", False, id="a carrier's network may be asked"),
        pytest.param("fd00::1", False, id="a private network of version 6 may be asked"),
        pytest.param("::1", False, id="this machine in version 6"),
        pytest.param("169.254.169.254", True, id="metadata of most clouds"),
        pytest.param("100.100.100.200", True, id="metadata of Alibaba Cloud"),
        pytest.param("168.63.129.16", True, id="Azure's wire server"),
        pytest.param("192.0.0.192", True, id="metadata of Oracle Cloud"),
        pytest.param("fd00:ec2::254", True, id="metadata of AWS in version 6"),
        pytest.param("0.0.0.0", True, id="no address at all"),
        pytest.param("224.0.0.1", True, id="multicast"),
        pytest.param("fe80::1", True, id="link-local in version 6"),
        pytest.param("::ffff:169.254.169.254", True, id="metadata, mapped"),
        pytest.param("64:ff9b::a9fe:a9fe", True, id="metadata, translated"),
        pytest.param("64:ff9b:1::a9fe:a9fe", True, id="metadata, translated in the network, prefix of 96 bits"),
        pytest.param("64:ff9b:1:0:a9:fea9:fe00:0", True, id="metadata, translated in the network, prefix of 64 bits"),
        pytest.param("64:ff9b:1:a9:fe:a9fe::", True, id="metadata, translated in the network, prefix of 56 bits"),
        pytest.param("64:ff9b:1:a9fe:a9:fe00::", True, id="metadata, translated in the network, prefix of 48 bits"),
        pytest.param("64:ff9b:1::a00:1", False, id="a private one, translated in the network"),
        pytest.param("2002:a9fe:a9fe::1", True, id="metadata, tunnelled"),
        pytest.param("::169.254.169.254", True, id="metadata, compatible"),
        pytest.param("::ffff:10.0.0.1", False, id="a private address, mapped"),
    ],
)
def test_forbidden_addresses(address: str, expected: bool) -> None:
    assert is_forbidden(ip_address(address)) is expected


def test_an_address_in_disguise_is_judged_by_what_it_resolves_to() -> None:
    """In a process of its own: the suite's network guard would judge the text before we can."""
    disguises = ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "::ffff:a9fe:a9fe", "0"]
    program = """
import sys
from apps.warehouse.addresses import ForbiddenAddress, resolve
for host in sys.argv[1:]:
    try:
        resolve(host, 80)
    except ForbiddenAddress:
        print(host)
"""
    command = [sys.executable, "-c", program, *disguises]
    caught = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert caught.stdout.split() == disguises


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, [], id="no selector"),
        pytest.param({"selector": '{tenant="a",cluster=~"x|y"}'}, ["tenant", "cluster"], id="two matchers"),
        pytest.param({"selector": 'tenant="a\\"b"'}, ["tenant"], id="a quote inside"),
    ],
)
def test_every_question_is_promql_and_carries_the_selector(options: dict[str, str], expected: list[str]) -> None:
    config = PrometheusConfig.from_options("http://prom", "online", options | {"cluster_label": "k8s_cluster"})
    for question in QUESTIONS.values():
        promql = written(question, config).promql.replace("$window", "86400s")
        assert "$" not in promql.replace('"$1"', ""), "what a label_replace finds"
        promql_parser.parse(promql)
        assert "k8s_cluster" in promql or question.grain == "window"
        for label in expected:
            assert f"{label}=" in promql
