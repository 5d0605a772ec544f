"""A letter as pieces in their order, and the mail that consists of exactly those."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.mime.application import MIMEApplication
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from typing import Any

from django.core.mail import EmailMultiAlternatives, SafeMIMEMultipart

from apps.charts.labels import plain
from apps.finops.mail import mailbox
from apps.reports.letters import Letter, content_id, mail_host

TEXT, HTML, PNG = "text/plain", "text/html", "image/png"


@dataclass(frozen=True)
class Piece:
    """A part of a letter; one with a `cid` is shown by the HTML."""

    name: str
    content_type: str
    data: bytes
    cid: str = ""


def pieces(letter: Letter) -> list[Piece]:
    """The parts of a letter: text, HTML, the pictures it shows, the files beside it."""
    return [
        Piece("letter.txt", TEXT, letter.text.encode()),
        Piece("letter.html", HTML, letter.html.encode()),
        *(Piece(name, PNG, png, content_id(name)) for name, png in letter.pictures.items()),
        *(Piece(one.name, one.content_type, one.data) for one in letter.attached),
    ]


class LetterMail(EmailMultiAlternatives):
    """A mail whose pictures belong to its HTML, with files beside both."""

    pictures: tuple[MIMEImage, ...] = ()

    def _create_alternatives(self, msg: Any) -> Any:
        # Django has no place of its own for pictures that belong to the HTML, and its stubs do not name this method.
        both = super()._create_alternatives(msg)  # type: ignore[misc]
        if not self.pictures:
            return both
        related: MIMEMultipart = SafeMIMEMultipart(_subtype="related", encoding=self.encoding or "utf-8")
        related.attach(both)
        for picture in self.pictures:
            related.attach(picture)
        return related


def as_mail(
    subject: str, parts: Sequence[Piece], *, recipient: str, name: str, message_id: str, unsubscribe: str = ""
) -> LetterMail:
    """The mail of a letter. With `unsubscribe`, mail programs offer to end it by one click (RFC 8058)."""
    headers = {
        "Message-ID": message_id,
        "Auto-Submitted": "auto-generated",
        "List-Id": f"CostOps weekly report <weekly.costops.{mail_host()}>",
    }
    if unsubscribe:
        headers |= {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    text, html, *others = parts
    mail = LetterMail(subject=subject, body=text.data.decode(), to=[mailbox(plain(name), recipient)], headers=headers)
    mail.attach_alternative(html.data.decode(), HTML)
    mail.pictures = tuple(_picture(one) for one in others if one.cid)
    for one in others:
        if not one.cid:
            mail.attach(_file(one))
    return mail


def _picture(piece: Piece) -> MIMEImage:
    image = MIMEImage(piece.data, "png")
    image.add_header("Content-ID", f"<{piece.cid}>")
    image.add_header("Content-Disposition", "inline", filename=piece.name)
    return image


def _file(piece: Piece) -> MIMEApplication:
    file = MIMEApplication(piece.data, piece.content_type.partition("/")[2])
    file.add_header("Content-Disposition", "attachment", filename=piece.name)
    return file
