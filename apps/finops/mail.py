"""Whom a mail is for, as its header says it."""

from email.utils import formataddr


def mailbox(name: str, address: str) -> str:
    """`Name <address>`; a name is never read as an encoded word, which may hold line breaks."""
    return formataddr((name.replace("=?", "= ?"), address))
