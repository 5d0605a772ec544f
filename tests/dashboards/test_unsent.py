"""Why a message was not sent: every sentence of it is known, and pages say it in the reader's language."""

import ast

import pytest
from django.utils.translation import override

from apps.channels.delivering import State
from apps.channels.models import Message
from apps.dashboards.faults import said
from apps.dashboards.refusals import REFUSED, UNSENT
from apps.dashboards.telling import pattern_of
from tests.channels.worlds import a_channel, a_notice, send
from tests.dashboards.test_refusals import ROOT, text_of
from tests.dashboards.test_translations import written

TWO_WAYS = {"Issue … has no transition … now; there are: …."}


def told() -> set[str]:
    """What a message may fail with, as the channels write it."""
    found: set[str | None] = set()
    for path in sorted((ROOT / "apps" / "channels").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "NotSent" and node.args:
                text = node.args[0].value if isinstance(node.args[0], ast.Subscript) else node.args[0]
                found.add(text_of(text))
            if isinstance(node, ast.keyword) and node.arg == "error":
                text = node.value.values[-1] if isinstance(node.value, ast.BoolOp) else node.value
                found.add(text_of(text))
    return {text for text in found if text}


def test_every_reason_is_known_and_translated():
    known = [pattern_of(one) for one in (*UNSENT, *REFUSED)]
    assert len(told()) > 15
    assert [text for text in sorted(told() - TWO_WAYS) if not any(one.fullmatch(text) for one in known)] == []
    assert set(UNSENT) - written().keys() == set()


@pytest.mark.parametrize(
    ("error", "chinese"),
    [
        ("hooks.example.com did not answer (ConnectTimeout).", "hooks.example.com 没有应答（ConnectTimeout）。"),
        ("hooks.example.com answered 404: no reason given", "hooks.example.com 应答 404：未说明原因"),
        ("The room refused it: 310000 keywords not in content", "对方拒收：310000 keywords not in content"),
        ("Issue A-1 has no transition called Done now; there are: Start, Stop.",
         "工单 A-1 现在没有名为 Done 的流转；可用的有：Start, Stop。"),
        ("'a.b' leads to 169.254.169.254, which is never asked (link-local, metadata or multicast). Give the address "
         "of the server itself.", "'a.b' 指向 169.254.169.254，这类地址（链路本地、元数据或组播）从不访问。"),
        ("These credentials were encrypted with another key. Put that key into COSTOPS_SECRETS_KEYS, or give them "
         "again: change the channel.", "或重新填写：修改渠道。"),
    ],
)  # fmt: skip
def test_a_reason_is_told_in_the_readers_language(error: str, chinese: str):
    with override("zh-hans"):
        assert chinese in said(error)
    with override("en"):
        assert said(error) == error


def test_the_log_of_deliveries_tells_it_in_chinese(people, client_of):
    channel = a_channel(user=people["finance"])
    send(a_notice(), to=channel)
    Message.objects.filter(channel=channel).update(state=State.FAILED, error="The room did not take it.")
    body = client_of("finance").get("/channels/deliveries/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "对方未接收。" in body
    assert "The room did not take it." not in body
