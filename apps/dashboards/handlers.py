"""Bytes of an upload reach the disk only where uploads are taken, from those who may bring them, up to a limit."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.urls import reverse

from apps.planning import registry
from apps.teams.access import may
from apps.teams.approval import actor_of
from apps.teams.roles import Can

TOO_LARGE = "costops.upload_too_large"
TAKING = ("sources-upload", "prices", "first-steps-take")
"""The pages that take files of those who manage sources."""


def _may_bring(path: str, user: Any) -> bool:
    """Whether somebody may bring files to an address."""
    if user is None or not user.is_active:
        return False
    if path == reverse("invoices"):
        return may(user, Can.ADD_INVOICES)
    if path == reverse("annotations"):
        return actor_of(user).may_speak
    taking = [reverse("plan", args=[planner.name]) for planner in registry.PLANNERS if planner.bring]
    if path in (reverse("offers"), reverse("budgets"), reverse("calendar"), *taking):
        return actor_of(user).teams is None
    return path in map(reverse, TAKING) and may(user, Can.MANAGE_SOURCES)


class UploadGuard(FileUploadHandler):
    """The first of the handlers: files that may not come in are read and forgotten, chunk by chunk."""

    is_allowed = False
    left = 0

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803  # as Django calls it
        content_length: int,
        boundary: Any,  # bytes, whatever the stubs say
        encoding: str | None = None,
    ) -> None:
        request: Any = self.request
        self.is_allowed = _may_bring(request.path, getattr(request, "user", None))
        self.left = settings.COSTOPS_UPLOAD_MIB << 20
        if content_length > self.left + (1 << 20):  # what surrounds the files in a form is small
            self._refuse()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if not self.is_allowed:
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.left -= len(raw_data)
        if self.left < 0:
            self._refuse()
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler makes the file."""

    def _refuse(self) -> None:
        self.is_allowed = False
        request: Any = self.request
        request.META[TOO_LARGE] = True
