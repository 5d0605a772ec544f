"""Machines that share a lake in a bucket, for the tests of this folder."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apps.warehouse import lake
from tests.servers.objects import ObjectStore, lay_lake
from tests.warehouse.test_lake import MONDAY, SALES, of_shop, sales

NORTH = "shop=north"
Fault = Callable[[dict[str, Any], Callable[..., Any]], Any]


class Machines:
    """Machines that share a bucket, each with a home folder of its own."""

    def __init__(self, store: ObjectStore, folder: Path, settings: Any, commit: str = "s3") -> None:
        self.store, self.folder, self.settings = store, folder, settings
        self.prefix = f"company/{uuid.uuid4().hex}"
        lay_lake(settings, store, self.prefix, commit=commit)
        self.on("one")

    def on(self, name: str) -> None:
        """Be this machine from now on."""
        self.settings.COSTOPS_HOME = self.folder / name
        self.settings.COSTOPS_LAKE = self.folder / name / "cache" / "lake"
        self.settings.COSTOPS_LANDING = self.folder / name / "cache" / "landing"

    def asked(self, method: str, part: str) -> list[str]:
        return [asked for asked in self.store.asked if asked.startswith(method) and part in asked]

    def keys(self, part: str = "") -> list[str]:
        pages = self.store.client().get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=self.prefix)
        found = [one["Key"].removeprefix(f"{self.prefix}/") for page in pages for one in page.get("Contents", ())]
        return [key for key in found if part in key]


def sell(amount: int, shop: str = "north", day: Any = MONDAY) -> int:
    return lake.replace(SALES, sales((amount, shop, day)), [one for one in of_shop(shop) if str(day) in one.path])


def failed(start: Any, status: str, body: bytes = b"") -> list[bytes]:
    start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]
