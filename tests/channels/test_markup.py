"""Names and typed reasons are words wherever they arrive: no command, nobody called, no picture and no hidden link."""

import json
import re
from html import unescape
from typing import Any

import pytest

from apps.channels import outbound
from apps.finops.findings import Sentence
from tests.channels.test_ways import ROOM_URLS, led_here
from tests.channels.worlds import a_channel, a_notice, deliver, send

HOSTILE = [
    "/move lilei/public", "  /close", "ask @all /assign @mei", "![x](https://evil.example/beacon.png)", "<!-- hide",
    "!https://evil.example/beacon.png!", "[~admin]", "[~accountid:1]", "[text|https://evil.example]", "{code}",
    "[here](https://evil.example)", "[warning]: https://evil.example", "<at>mail</at>", '<at user_id="all">x</at>',
    "<@lilei>", "<!channel>", "<https://evil.example|here>", "```", "# head", "---", "===", "~bug #1 !2 %3 &4",
    "{{DATE(2026-01-01T00:00:00Z)}}", "\\[~admin]", "\\@all", "\\![x](https://evil.example)", "<img src=x>", "||a||",
]  # fmt: skip
READ = {
    "slack": r"[<>]",
    "teams": r"<\w|\]\(|\]:|\{\{",
    "dingtalk": r"<\w|@\w|\]\(",
    "feishu": r"<\w|</|\]\(",
    "wecom": r"<[@\w]|@\w|\]\(",
    "gitlab": r"@\w|#\d|~\w|(^|\s)/\w|^\s*[-=/]",
    "jira": r"\[~|^\s*[-#]",
}
"""What each product would read as more than words."""
ESCAPED = {"gitlab": r"[`<>\[\]{}#|!]", "jira": r"[\[\]{}!|]"}
"""What it would read so where no backslash stands before it."""


@pytest.fixture
def sent(receiver: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """What a kind of channel is told of a title and some lines: every text of it, as the product gets it."""
    led_here(receiver, monkeypatch)
    bodies: list[bytes] = []

    def post(_url: str, body: bytes, *_headers: Any) -> outbound.Answer:
        bodies.append(body)
        return outbound.Answer(202, b"")

    def telling(kind: str, *lines: str, **more: str) -> list[str]:
        given = {"url": receiver.url, "project": "OPS", "token": "t", "address": ROOM_URLS.get(kind, "")} | more
        said = tuple(Sentence("%(words)s", {"words": line}) for line in lines)
        if kind == "teams":
            monkeypatch.setattr("apps.channels.chat.post", post)
        title = Sentence("The budget %(name)s is spent", {"name": lines[0]})
        send(a_notice(title=title, lines=said), to=a_channel(kind, **given))
        assert deliver() == {"sent": 1}
        return list(_texts(json.loads(bodies[0] if bodies else receiver.posted[0].body)))

    return telling


def _texts(said: Any) -> Any:
    if isinstance(said, str):
        yield said
    for one in said.values() if isinstance(said, dict) else said if isinstance(said, list) else ():
        yield from _texts(one)


def _of_others(texts: list[str], kind: str) -> list[str]:
    """The lines in which words of others stand, without our own marks and links."""
    lines = [line for text in texts for line in text.splitlines()]
    mine = re.compile(r"^\[warning\] |^http://127\.0\.0\.1:8000/alerts/$")
    return [mine.sub("", line) for line in lines if kind not in ESCAPED or not line.startswith("CostOps: ")]


def _read(text: str, kind: str) -> str:
    """What a person sees of it."""
    text = text.replace("\u200b", "")
    if kind in ESCAPED:
        text = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)
    return unescape(text) if kind in ("slack", "jira") else text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "more"),
    [*(pytest.param(kind, {}, id=kind) for kind in READ),
     pytest.param("feishu", {"sign": "Abc0123456789"}, id="feishu, signed")],
)  # fmt: skip
def test_words_of_others_are_no_markup_and_stay_readable(sent, kind, more):
    texts = sent(kind, *HOSTILE, **more)
    lines = _of_others(texts, kind)
    assert not [line for line in lines if re.search(READ[kind], line)]
    bare = [re.sub(r"\\[!-/:-@\[-`{-~]", "", line) for line in lines]
    assert not [line for line in bare if kind in ESCAPED and re.search(ESCAPED[kind], line)]
    seen = [_read(line, kind) for line in lines]
    for words in HOSTILE:
        assert words in seen, f"{words} is read as it was typed"
    assert any("http://127.0.0.1:8000/alerts/" in text.splitlines() for text in texts), "our link stays a link"
    assert any(text.count("[warning] The budget") for text in texts)


@pytest.mark.django_db
def test_a_title_of_an_issue_calls_nobody(sent):
    assert "@\u200ball" in next(text for text in sent("gitlab", "@all #1") if text.startswith("CostOps:"))


@pytest.mark.django_db
def test_nobody_is_mentioned_in_teams(sent):
    assert "mention" not in sent("teams", "<at>mail</at>", "x")


@pytest.mark.django_db
def test_programs_and_mail_get_words_as_they_are(receiver, mailbox):
    line = Sentence("%(words)s", {"words": "/move [x](y) @all"})
    send(a_notice(lines=(line,)), to=a_channel("webhook", url=receiver.url, secret="s"))
    send(a_notice(lines=(line,)), to=a_channel())
    assert deliver() == {"sent": 2}
    assert json.loads(receiver.posted[0].body)["notices"][0]["lines"] == ["/move [x](y) @all"]
    assert "/move [x](y) @all" in mailbox.messages[0].get_content()
