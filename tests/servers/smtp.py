"""An SMTP server of its own for the tests, which keeps what it receives."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.process import free_port


@dataclass
class MailServer:
    """Where the server listens and what it has received, oldest first."""

    port: int
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address, as `COSTOPS_EMAIL_URL` takes it."""
        return f"smtp://127.0.0.1:{self.port}"

    def clear(self) -> None:
        """Forget all mail."""
        self.messages.clear()
        self.recipients.clear()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one message, as aiosmtpd hands it over."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        self.messages.append(cast(EmailMessage, message_from_bytes(raw, policy=policy.default)))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 Message accepted for delivery"


@contextmanager
def running_smtp() -> Iterator[MailServer]:
    """A new server with an empty mailbox."""
    server = MailServer(free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
