"""How a letter leaves by mail or as a signed webhook; rooms are in `channels.chat`, tickets in `channels.tickets`."""

import hashlib
import hmac
from datetime import datetime
from smtplib import SMTPException
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email

from apps.channels.letters import Letter
from apps.channels.outbound import NotSent, post
from apps.finops.mail import mailbox

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
        to=[mailbox(name, address)],
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
