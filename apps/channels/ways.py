"""How a letter leaves: by mail, as a signed webhook, as a ticket; rooms are in `channels.chat`."""

import base64
import hashlib
import hmac
from datetime import datetime
from email.utils import formataddr
from smtplib import SMTPException
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email

from apps.channels.letters import Letter
from apps.channels.outbound import Answer, NotSent, post

SIGNATURE, TIMESTAMP, DELIVERY = "X-CostOps-Signature", "X-CostOps-Timestamp", "X-CostOps-Delivery"
JSON = {"Content-Type": "application/json; charset=utf-8"}


def mail(letter: Letter, address: str, name: str) -> None:
    """Send it by the installation's own mail server."""
    try:
        validate_email(address)
    except ValidationError as error:
        raise NotSent("There is no usable e-mail address.", is_final=True) from error
    host = urlsplit(settings.COSTOPS_SITE_URL).hostname or "localhost"
    message = EmailMessage(
        subject=letter.subject,
        body=letter.text + "\n",
        to=[formataddr((name.replace("=?", "= ?"), address))],  # a name is never read as an encoded word
        headers={
            "Message-ID": f"<costops.{letter.message_id}@{host}>",
            "Auto-Submitted": "auto-generated",
            "List-Id": f"CostOps alerts <alerts.costops.{host}>",
        },
    )
    try:
        message.send()
    except (SMTPException, OSError, ValueError) as error:
        raise NotSent(f"The mail server did not take it ({type(error).__name__}: {error}).") from error


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What a receiver computes as well: HMAC-SHA256 over the timestamp, a dot and the body as it came."""
    return "v1=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def webhook(letter: Letter, url: str, secret: str, now: datetime) -> None:
    """Post the JSON, signed. A repetition has the same body and id, and a timestamp of its own."""
    body, timestamp = orjson.dumps(letter.payload), str(int(now.timestamp()))
    signed = {TIMESTAMP: timestamp, SIGNATURE: signature(secret, timestamp, body), DELIVERY: letter.message_id}
    post(url, body, JSON | signed)


def jira(letter: Letter, options: dict[str, str], token: str) -> str:
    """Open an issue; its key."""
    user = options.get("login", "")
    auth = f"Basic {base64.b64encode(f'{user}:{token}'.encode()).decode()}" if user else f"Bearer {token}"
    fields = {
        "project": {"key": options["project"]},
        "summary": letter.subject[:250],
        "description": f"{letter.text}\n\n{letter.message_id}",
        "issuetype": {"name": options.get("issue_type") or "Task"},
    }
    return _ticket(f"{options['url'].rstrip('/')}/rest/api/2/issue", {"fields": fields}, {"Authorization": auth}, "key")


def gitlab(letter: Letter, options: dict[str, str], token: str) -> str:
    """Open an issue; its address."""
    issue = {
        "title": letter.subject[:250],
        "description": f"{letter.text}\n\n{letter.message_id}",
        "labels": options.get("labels", ""),
    }
    url = f"{options['url'].rstrip('/')}/api/v4/projects/{quote(options['project'], safe='')}/issues"
    return _ticket(url, issue, {"PRIVATE-TOKEN": token}, "web_url")


def _ticket(url: str, body: dict[str, Any], auth: dict[str, str], name: str) -> str:
    answer = post(url, orjson.dumps(body), JSON | auth)
    return _named(answer, name)


def _named(answer: Answer, name: str) -> str:
    """What the other side calls what we made; empty when it does not say."""
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return ""
    return str(said.get(name, ""))[:500] if isinstance(said, dict) else ""
