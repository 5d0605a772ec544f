"""The ways out: what a receiver gets, what a refusal says, what is never asked, and secrets that never show."""

import base64
import gzip
import hashlib
import hmac
import json
import logging
import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.slack import NotifySlack
from apprise.plugins.wecombot import NotifyWeComBot
from django.db import connection

from apps.channels import outbound
from apps.channels.chat import ROOMS
from apps.channels.kinds import BadChannel
from apps.channels.outbound import NotSent
from apps.finops.findings import Sentence
from apps.warehouse import addresses
from tests.channels.worlds import NOW, a_channel, a_notice, deliver, send, the_message
from tests.servers.drops import dripping

CANARY = "canary0123456789abcdef"
ROOM_URLS = {
    "slack": f"https://hooks.slack.com/services/T1/B2/{CANARY}",
    "teams": "https://prod-7.westeurope.logic.azure.com:443/workflows/abc/triggers/manual/paths/invoke"
    f"?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={CANARY}",
    "dingtalk": f"https://oapi.dingtalk.com/robot/send?access_token={CANARY}",
    "feishu": f"https://open.feishu.cn/open-apis/bot/v2/hook/{CANARY}",
    "wecom": f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={CANARY}",
}


def verify(secret: str, headers: dict[str, str], body: bytes, *, now: float) -> bool:
    """The example of docs/channels.md."""
    timestamp = headers["X-CostOps-Timestamp"]
    if abs(now - int(timestamp)) > 300:
        return False
    expected = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v1={expected}", headers["X-CostOps-Signature"])


@pytest.mark.django_db
def test_a_webhook_is_signed_and_its_body_is_the_same_when_repeated(receiver):
    receiver.answer = (503, b"later", {"Retry-After": "120"})
    send(a_notice(), to=a_channel("webhook", url=f"{receiver.url}/in?a=1", secret=CANARY))
    assert deliver() == {"waiting": 1}
    assert the_message().not_before >= NOW + timedelta(seconds=120)
    receiver.answer = (204, b"", {})
    assert deliver(minutes=5) == {"sent": 1}

    first, second = receiver.posted
    assert (first.path, first.body) == ("/in?a=1", second.body)
    for posted, after in ((first, 0), (second, 300)):
        assert posted.headers["X-CostOps-Delivery"] == the_message().message_id
        assert verify(CANARY, posted.headers, posted.body, now=NOW.timestamp() + after)
        assert not verify("other", posted.headers, posted.body, now=NOW.timestamp() + after)
        assert not verify(CANARY, posted.headers, posted.body + b" ", now=NOW.timestamp() + after)
    assert json.loads(first.body) == {
        "version": 1,
        "id": the_message().message_id,
        "created_at": "2026-11-02T03:00:00+00:00",
        "channel": "ours",
        "notices": [
            {
                "key": "alert 1 1 warning", "thread": "alert 1 1", "kind": "budget", "severity": "warning",
                "is_over": False, "team": "live", "title": "The budget live 2026 is spent", "lines": ["101 % of it"],
                "link": "http://127.0.0.1:8000/alerts/",
            }
        ],
    }  # fmt: skip


def led_here(receiver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rooms of the products, led to the receiver: their hosts are fixed in the plugins."""
    monkeypatch.setattr(NotifySlack, "webhook_url", f"{receiver.url}/slack")
    monkeypatch.setattr(NotifyDingTalk, "notify_url", receiver.url + "/dingtalk?access_token={token}")
    monkeypatch.setattr(NotifyFeishu, "notify_url", receiver.url + "/feishu/{token}")
    monkeypatch.setattr(NotifyWeComBot, "notify_url", receiver.url + "/wecom?key={key}")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "path", "where"),
    [
        pytest.param("slack", f"/slack/T1/B2/{CANARY}", lambda said: said["attachments"][0]["text"], id="Slack"),
        pytest.param(
            "dingtalk", "/dingtalk?access_token=" + CANARY, lambda said: said["text"]["content"], id="DingTalk"
        ),
        pytest.param("feishu", f"/feishu/{CANARY}", lambda said: said["content"]["text"], id="Feishu"),
        pytest.param("wecom", f"/wecom?key={CANARY}", lambda said: said["text"]["content"], id="WeCom"),
    ],
)
def test_a_room_is_told_in_its_own_shape(receiver, monkeypatch, kind, path, where):
    led_here(receiver, monkeypatch)
    send(a_notice(), to=a_channel(kind, address=ROOM_URLS[kind]))

    assert deliver() == {"sent": 1}
    (posted,) = receiver.posted
    assert posted.path == path
    assert "101 % of it" in where(json.loads(posted.body))
    assert "http://127.0.0.1:8000/alerts/" in where(json.loads(posted.body))


@pytest.mark.django_db
def test_dingtalk_is_signed_where_it_wants_to_be(receiver, monkeypatch):
    led_here(receiver, monkeypatch)
    send(a_notice(), to=a_channel("dingtalk", address=ROOM_URLS["dingtalk"], sign="SEC0123456789"))
    assert deliver() == {"sent": 1}

    query = dict(parse_qsl(receiver.posted[0].path.partition("?")[2]))
    key, told = b"SEC0123456789", f"{query['timestamp']}\nSEC0123456789".encode()
    assert query["sign"] == base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    assert len(query["timestamp"]) == 13, "milliseconds"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(b'{"code":0,"msg":"success"}', "sent", id="taken"),
        pytest.param(b'{"code":19021,"msg":"sign match fail"}', "failed", id="a wrong secret is told"),
    ],
)
def test_feishu_is_signed_where_it_wants_to_be(receiver, monkeypatch, answer, expected):
    led_here(receiver, monkeypatch)
    receiver.answer = (200, answer, {})
    send(a_notice(), to=a_channel("feishu", address=ROOM_URLS["feishu"], sign="Abc0123456789"))
    assert deliver() == {expected: 1}

    said = json.loads(receiver.posted[0].body)
    key = f"{int(NOW.timestamp())}\nAbc0123456789".encode()
    assert said["timestamp"] == str(int(NOW.timestamp()))
    assert said["sign"] == base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
    assert "101 % of it" in said["content"]["text"]
    assert ("sign match fail" in the_message().error) is (expected == "failed")


def test_teams_is_told_at_its_own_host_only(monkeypatch):
    asked: list[tuple[str, bytes]] = []

    def post(url: str, body: bytes, *_headers: Any) -> outbound.Answer:
        asked.append((url, body))
        return outbound.Answer(202, b"")

    monkeypatch.setattr("apps.channels.chat.post", post)
    from apps.channels import chat

    class Letter:
        subject, chat, severity = "Spent", "101 %", "warning"

    chat.say("teams", {"address": ROOM_URLS["teams"]}, Letter, NOW)
    (url, body) = asked[0]
    assert url.startswith("https://prod-7.westeurope.logic.azure.com:443/workflows/abc/triggers/manual/paths/invoke?")
    assert f"sig={CANARY}" in url
    assert "101 %" in body.decode()


@pytest.mark.django_db
def test_nobody_is_called_by_a_name_in_a_sentence(receiver, monkeypatch):
    led_here(receiver, monkeypatch)
    title = Sentence("About %(name)s", {"name": "<!channel> <https://evil.example|here>"})
    send(a_notice(title=title), to=a_channel("slack", address=ROOM_URLS["slack"]))
    deliver()
    assert b"<" not in receiver.posted[0].body


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "answer", "expected", "said"),
    [
        pytest.param("dingtalk", (200, b'{"errcode":310000,"errmsg":"keywords not in content"}', {}), "failed",
                     "keywords not in content", id="200 and a code: refused"),
        pytest.param("wecom", (200, b'{"errcode":45009,"errmsg":"api freq out of limit"}', {}), "waiting", "freq",
                     id="too often: later"),
        pytest.param("feishu", (200, b'{"code":19001,"msg":"param invalid"}', {}), "failed", "param invalid",
                     id="Feishu"),
        pytest.param("feishu", (200, b'{"code":0,"msg":"success"}', {}), "sent", "", id="0 is no code"),
        pytest.param("slack", (404, b"no_service", {}), "failed", "no_service", id="taken away: given up at once"),
        pytest.param("slack", (429, b"rate_limited", {"Retry-After": "30"}), "waiting", "rate_limited", id="too many"),
        pytest.param("slack", (500, b"oops", {}), "waiting", "oops", id="a fault of theirs"),
        pytest.param("slack", (302, b"", {"Location": "http://169.254.169.254/"}), "failed", "not followed",
                     id="elsewhere"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_and_tried_again_where_that_may_help(receiver, monkeypatch, kind, answer, expected, said):
    led_here(receiver, monkeypatch)
    receiver.answer = answer
    send(a_notice(), to=a_channel(kind, address=ROOM_URLS[kind]))
    assert deliver() == {expected: 1}
    assert said in the_message().error
    assert len(receiver.posted) == 1


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        *(pytest.param(kind, url.replace("https://", "https://evil.example/?"), id=f"{kind}: before it")
          for kind, url in ROOM_URLS.items()),
        pytest.param("slack", "https://hooks.slack.com.evil.example/services/T/B/C", id="a longer name"),
        pytest.param("slack", "https://hooks.slack.com@evil.example/services/T/B/C", id="a user in the address"),
        pytest.param("slack", "http://hooks.slack.com/services/T/B/C", id="not encrypted"),
        pytest.param("teams", "https://169.254.169.254/workflows/a/triggers/manual/paths/invoke?sig=b",
                     id="no host of it"),
        pytest.param("teams", "https://evil.example/.logic.azure.com/workflows/a/triggers/manual/paths/invoke?sig=b",
                     id="its name in a path"),
        *(pytest.param("teams", f"https://{host}/workflows/a/triggers/manual/paths/invoke?sig=b", id=host)
          for host in ("x.powerplatform.evil.com", "x.api.powerplatform.com.evil.example", "x.appsplatform.xyz",
                       "api.powerplatform.com", "x.evilapi.powerplatform.com", "x.logic.azureXcom")),
        pytest.param("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/../../x", id="a path upwards"),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_a_room_has_the_address_of_its_product(kind, address):
    with pytest.raises(BadChannel, match="address: give it as the product shows it"):
        a_channel(kind, address=address)


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("prod-1.westeurope.logic.azure.com", id="Logic Apps"),
        pytest.param("prod-1.westeurope.logic.azure.com:443", id="Logic Apps, with its port"),
        pytest.param("prod-1.usgovvirginia.logic.azure.us", id="Logic Apps of the USA"),
        pytest.param("prod-1.chinaeast2.logic.azure.cn", id="Logic Apps of China"),
        pytest.param("default0a.1b.environment.api.powerplatform.com:443", id="Power Platform"),
        pytest.param("default0a.1.environment.api.gov.powerplatform.microsoft.us", id="GCC"),
        pytest.param("default0a.1.environment.api.high.powerplatform.microsoft.us", id="GCC High"),
        pytest.param("default0a.1.environment.api.appsplatform.us", id="DoD"),
        pytest.param("default0a.1.environment.api.powerplatform.partner.microsoftonline.cn", id="21Vianet"),
    ],
)
def test_every_host_of_teams_is_taken(host):
    path = "/powerautomate/automations/direct/workflows/ab/triggers/manual/paths/invoke?api-version=1&sig=x_y-z"
    parts = ROOMS["teams"].parts(f"https://{host}{path}")
    assert parts
    assert parts["host"] == host.partition(":")[0]


@pytest.mark.parametrize("kind", ROOM_URLS)
def test_the_address_a_product_shows_is_taken(kind):
    assert ROOMS[kind].parts(ROOM_URLS[kind])


@pytest.mark.parametrize(
    ("url", "hosts", "resolved", "said"),
    [
        pytest.param("https://hook.example/x", [], "93.184.216.34", None, id="a public place"),
        pytest.param("https://hook.example/x", [], "10.1.2.3", "inside a network", id="a private address"),
        pytest.param("https://hook.example/x", [], "127.0.0.1", "inside a network", id="this machine"),
        pytest.param("https://hook.example/x", [], "::1", "inside a network", id="this machine in version 6"),
        pytest.param("https://hook.example/x", [], "100.64.0.9", "inside a network", id="a carrier's network"),
        pytest.param("https://hook.example/x", [], "fd00::9", "inside a network", id="a private one of version 6"),
        pytest.param("https://hook.example/x", [], "::ffff:10.0.0.1", "inside a network", id="private, mapped"),
        pytest.param("https://hook.example/x", [], "64:ff9b::a00:1", "inside a network", id="private, translated"),
        pytest.param("https://hook.example/x", ["hook.example"], "169.254.169.254", "never asked",
                     id="metadata, though listed"),
        pytest.param("https://hook.example/x", ["*"], "100.100.100.200", "never asked", id="metadata of Alibaba Cloud"),
        pytest.param("https://hook.example/x", ["hook.example"], "10.1.2.3", None, id="listed by name"),
        pytest.param("https://hook.example/x", ["*.example"], "10.1.2.3", None, id="listed by pattern"),
        pytest.param("https://hook.example/x", ["10.1.0.0/16"], "10.1.2.3", None, id="listed by network"),
        pytest.param("https://hook.example/x", ["10.2.0.0/16"], "10.1.2.3", "inside a network", id="another network"),
        pytest.param("https://hook.example/x", ["other.example"], "10.1.2.3", "inside a network", id="another name"),
        pytest.param("https://hook.example:8443/x", ["hook.example:8443"], "10.1.2.3", None, id="listed with its port"),
        pytest.param("https://hook.example:8443/x", ["hook.example:9000"], "10.1.2.3", "port 443 only",
                     id="another port"),
        pytest.param("http://hook.example/x", [], "93.184.216.34", "by https", id="not encrypted"),
        pytest.param("http://hook.example/x", ["hook.example"], "10.1.2.3", None, id="not encrypted, but listed"),
        pytest.param("https://u:p@hook.example/x", [], "93.184.216.34", "no user", id="a user in it"),
        pytest.param("file:///etc/passwd", [], "93.184.216.34", "address such as", id="a file"),
        pytest.param("gopher://hook.example/x", [], "93.184.216.34", "address such as", id="gopher"),
        pytest.param("https://hook.example/\r\nX: y", [], "93.184.216.34", "address such as", id="a header in it"),
        pytest.param("https://[::1", [], "93.184.216.34", "no address", id="garbled"),
        pytest.param("https://hook.example:99999/", [], "93.184.216.34", "no address", id="no port"),
    ],
)  # fmt: skip
def test_what_may_be_asked(settings, monkeypatch, url, hosts, resolved, said):
    settings.COSTOPS_CHANNEL_HOSTS = hosts
    family = 10 if ":" in resolved else 2
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_a, **_k: [(family, 1, 6, "", (resolved, 443))])
    if said is None:
        assert outbound.addresses_of(outbound.check(url)) == [resolved]
        return
    with pytest.raises(NotSent, match=said) as refused:
        outbound.addresses_of(outbound.check(url))
    assert refused.value.is_final


def test_one_address_inside_is_enough_to_refuse(settings, monkeypatch):
    both = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_a, **_k: both)
    with pytest.raises(NotSent, match="inside a network"):
        outbound.addresses_of(outbound.check("https://hook.example/x"))


def test_a_redirect_is_not_followed(receiver):
    receiver.answer = (307, b"", {"Location": f"{receiver.url}/elsewhere"})
    with pytest.raises(NotSent, match="redirects"):
        outbound.post(f"{receiver.url}/x", b"{}", {})
    assert [posted.path for posted in receiver.posted] == ["/x"]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["slack", "dingtalk", "feishu", "wecom", "webhook", "jira", "gitlab"])
def test_a_secret_shows_nowhere(receiver, monkeypatch, caplog, kind):
    """Not in the database, the log, nor what went wrong: also where the other side repeats it to us, as most do that
    know no such path."""
    led_here(receiver, monkeypatch)
    caplog.set_level(logging.DEBUG)
    receiver.answer = (400, f"bad request to /{CANARY}".encode(), {})
    url = f"{receiver.url}/{CANARY}" if kind == "webhook" else receiver.url
    given = {"url": url, "project": "OPS", "secret": "only-to-sign-with", "token": CANARY}
    send(a_notice(), to=a_channel(kind, **(given | {"address": ROOM_URLS.get(kind, "")})))
    assert deliver() == {"failed": 1}

    with connection.cursor() as cursor:
        for table in ("channels_channel", "channels_message", "channels_entry"):
            cursor.execute(f"SELECT * FROM {table}")
            assert CANARY not in repr(cursor.fetchall())
    ours = [record for record in caplog.records if not record.name.startswith(("httpcore", "httpx", "django.db"))]
    assert CANARY not in "\n".join(record.getMessage() for record in ours)
    assert "bad request" in the_message().error


@pytest.mark.parametrize("part", ["headers", "body"])
def test_an_answer_that_comes_by_drops_is_not_waited_for(settings, monkeypatch, part):
    monkeypatch.setattr(outbound, "ANSWER_SECONDS", 0.5)
    with dripping(part) as port:
        settings.COSTOPS_CHANNEL_HOSTS = [f"127.0.0.1:{port}"]
        began = time.monotonic()
        with pytest.raises(NotSent, match="did not answer"):
            outbound.post(f"http://127.0.0.1:{port}/hook", b"{}", {})
    assert time.monotonic() - began < outbound.READ_SECONDS


@pytest.mark.parametrize(
    ("status", "packed", "is_final", "said"),
    [
        pytest.param(200, "br", True, "packed by 'br'", id="taken, but what was answered cannot be read"),
        pytest.param(200, "gzip", True, "cannot be unpacked", id="not even that"),
        pytest.param(503, "br", False, "answered 503", id="the status says enough"),
    ],
)
def test_an_answer_that_is_packed_otherwise_is_not_unpacked(receiver, status, packed, is_final, said):
    receiver.answer = (status, b"\x1b\xff\xff\x01", {"Content-Encoding": packed})
    with pytest.raises(NotSent, match=said) as refused:
        outbound.post(f"{receiver.url}/x", b"{}", {})
    assert refused.value.is_final is is_final
    assert receiver.posted[0].headers["Accept-Encoding"] == "identity"


def test_a_packed_answer_is_read_as_far_as_any_other(receiver):
    receiver.answer = (200, gzip.compress(b" " * (4 << 20)), {"Content-Encoding": "gzip"})
    assert outbound.post(f"{receiver.url}/x", b"{}", {}).body == b" " * outbound.MOST_BYTES
