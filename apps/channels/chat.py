"""Chat rooms, by the plugins of `apprise`: each made from the address its product shows, sent by our own door."""

import base64
import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import orjson
import requests
from apprise import NotifyFormat, NotifyType
from apprise.exception import AppriseImproperlyConfigured
from apprise.plugins import dingtalk, feishu, slack, wecombot, workflows

from apps.channels.letters import Letter
from apps.channels.outbound import NotSent, post
from apps.warehouse.sealed import Secrets

logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
"""It writes tokens it finds wrong; what happened is told by us."""

TYPES = {"info": NotifyType.INFO, "warning": NotifyType.WARNING, "critical": NotifyType.FAILURE}


class _Answered:
    """An answer as the plugins read it."""

    def __init__(self, status: int, content: bytes) -> None:
        self.status_code, self.content = status, content
        self.text = content.decode("utf-8", "replace")
        self.headers: dict[str, str] = {}


class _Never(Exception):
    """What the plugins expect of `requests`; of ours nothing is one, so that reasons pass through them."""


class _Door:
    """What the plugins take for `requests`: their requests go by `outbound.post`, with its guard, limits and reasons.

    Some products answer 200 to what they refuse and give a code in the body; that is a refusal here too.
    """

    codes = requests.codes
    RequestException = _Never

    def post(self, url: str, **given: Any) -> _Answered:
        if given.get("params"):
            parts = urlsplit(url)
            url = urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *given["params"].items()])))
        data = given["data"]
        answer = post(url, data.encode() if isinstance(data, str) else data, given["headers"])
        _look(answer.body)
        return _Answered(answer.status, answer.body)

    def request(self, _method: str, url: str, **given: Any) -> _Answered:
        return self.post(url, **given)


def _look(body: bytes) -> None:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    code = isinstance(said, dict) and (said.get("errcode") or said.get("code"))
    if code:
        text = said.get("errmsg") or said.get("msg") or ""
        raise NotSent(f"The room refused it: {code} {text}"[:300], is_final=code not in (130101, 45009, 11232))


for _module in (dingtalk, feishu, slack, wecombot, workflows):
    _module.requests = _Door()  # type: ignore[attr-defined]  # as much of it as they use


@dataclass(frozen=True)
class Room:
    """A product: how its addresses look, an example, and the plugin one makes of the parts of an address."""

    pattern: re.Pattern[str]
    example: str
    plugin: Callable[..., Any]

    def parts(self, address: str) -> dict[str, str] | None:
        found = self.pattern.fullmatch(address.strip())
        return {name: part for name, part in found.groupdict().items() if part} if found else None


def _slack(token_a: str, token_b: str, token_c: str) -> Any:
    return slack.NotifySlack(  # type: ignore[no-untyped-call]  # the plugin has no types
        token_a=token_a, token_b=token_b, token_c=token_c, use_blocks=False, include_image=False, include_footer=False
    )


def _teams(host: str, workflow: str, sig: str, direct: str = "", route: str = "", port: str = "") -> Any:
    return workflows.NotifyWorkflows(  # type: ignore[no-untyped-call]  # the plugin has no types
        host=host, workflow=workflow, signature=sig, power_automate=bool(direct), routing_id=route or None,
        include_image=False, port=int(port) if port else None,
    )  # fmt: skip


class _DingTalk(dingtalk.NotifyDingTalk):  # type: ignore[no-untyped-call]  # the plugin has no types
    """Its plugin escapes the signature, which is escaped once more with the other parameters: DingTalk refuses that."""

    def get_signature(self) -> tuple[str, str]:
        timestamp, signature = super().get_signature()  # type: ignore[no-untyped-call]  # nor this
        return timestamp, unquote(signature)


TEAMS_HOSTS = (
    "logic.azure.com", "logic.azure.us", "logic.azure.cn",
    "api.powerplatform.com", "api.gov.powerplatform.microsoft.us", "api.high.powerplatform.microsoft.us",
    "api.appsplatform.us", "api.powerplatform.partner.microsoftonline.cn",
)  # fmt: skip
"""Below which workflows live: of everybody, of the government of the USA (GCC, GCC High, DoD), of 21Vianet in China.

https://learn.microsoft.com/power-automate/ip-address-configuration
"""

ROOMS: Mapping[str, Room] = {
    "slack": Room(
        re.compile(
            r"https://hooks\.slack\.com/services/(?P<token_a>\w+)/(?P<token_b>\w+)/(?P<token_c>\w+)/?", re.ASCII
        ),
        "https://hooks.slack.com/services/T…/B…/…",
        _slack,
    ),
    "teams": Room(
        re.compile(
            rf"https://(?P<host>[\w.-]+\.(?:{'|'.join(map(re.escape, TEAMS_HOSTS))}))"
            r"(?::(?P<port>443))?(?P<direct>/powerautomate/automations/direct(?:/cu/(?P<route>\d+))?)?"
            r"/workflows/(?P<workflow>[\w-]+)/triggers/manual/paths/invoke/?\?(?:.*&)?sig=(?P<sig>[\w-]+)(?:&.*)?",
            re.ASCII | re.IGNORECASE,
        ),
        "https://….environment.api.powerplatform.com/…/workflows/…/triggers/manual/paths/invoke?…&sig=…",
        _teams,
    ),
    "dingtalk": Room(
        re.compile(r"https://oapi\.dingtalk\.com/robot/send\?access_token=(?P<token>[0-9A-Za-z]+)"),
        "https://oapi.dingtalk.com/robot/send?access_token=…",
        _DingTalk,
    ),
    "feishu": Room(
        re.compile(r"https://open\.feishu\.cn/open-apis/bot/v2/hook/(?P<token>[0-9A-Za-z_-]+)/?"),
        "https://open.feishu.cn/open-apis/bot/v2/hook/…",
        feishu.NotifyFeishu,
    ),
    "wecom": Room(
        re.compile(r"https://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=(?P<key>[0-9A-Za-z_-]+)"),
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…",
        wecombot.NotifyWeComBot,
    ),
}  # fmt: skip


def say(kind: str, secrets: Mapping[str, str], letter: Letter, now: datetime) -> None:
    """Say a letter in a room."""
    room = ROOMS[kind]
    parts = room.parts(secrets.get("address", ""))
    if parts is None:
        raise NotSent("The address of the room is missing or wrong; give it again.", is_final=True)
    hidden = Secrets({name: part for name, part in parts.items() if name != "host"})
    title, body = letter.subject, letter.chat
    try:
        if kind == "feishu" and secrets.get("sign"):
            _say_signed(parts["token"], secrets["sign"], f"{title}\n{body}", now)
        else:
            _say(room, parts | ({"secret": secrets["sign"]} if secrets.get("sign") else {}), title, body, letter)
    except NotSent as failure:
        raise failure.saying(hidden.hide(str(failure))) from None


def _say(room: Room, parts: Mapping[str, str], title: str, body: str, letter: Letter) -> None:
    """By the plugin of the room."""
    try:
        plugin = room.plugin(**parts)
    except (AppriseImproperlyConfigured, TypeError) as error:
        raise NotSent("The address of the room cannot be used; give it again.", is_final=True) from error
    is_taken = plugin.send(body=body, title=title, notify_type=TYPES[letter.severity], body_format=NotifyFormat.TEXT)
    if not is_taken:
        raise NotSent("The room did not take it.")


def _say_signed(token: str, secret: str, text: str, now: datetime) -> None:
    """Feishu, whose plugin knows no secret: an HMAC of nothing, by the timestamp in seconds and the secret as its key.

    https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
    """
    timestamp = str(int(now.timestamp()))
    digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    signed = {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}
    body = orjson.dumps(signed | {"msg_type": "text", "content": {"text": text}})
    answer = post(feishu.NotifyFeishu.notify_url.format(token=token), body, {"Content-Type": "application/json"})
    _look(answer.body)
