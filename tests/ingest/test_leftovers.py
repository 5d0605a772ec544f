"""Landed files that no row names go after the grace period; nothing else does, whatever happens meanwhile."""

import hashlib
import os
import uuid
from contextlib import nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.utils import timezone

from apps.ingest import landing, leftovers, services
from apps.ingest.models import LandedFile
from apps.warehouse import orphans, shared
from tests.ingest.bills import NOW, bill, put, row, source, total
from tests.servers.objects import lay_lake

pytestmark = pytest.mark.django_db
LATER = timezone.now() + leftovers.LANDED_GRACE + timedelta(days=1)


class Killed(BaseException):
    """As a kill: nothing of ours catches it."""


def there() -> set[str]:
    """The bytes that lie in the landing zone, wherever it is."""
    return {one.key.rpartition("/")[2] for one in orphans.store().listed("landing/") if "/." not in one.key}


def landed(bills, content: bytes, *, killed: bool = False) -> str:
    """Land a file; its sha256. A killed worker leaves the bytes, and no row."""
    put(Path(bills.location), "a.csv", content)
    with patch.object(services, "_enter", side_effect=Killed) if killed else nullcontext(), suppress(Killed):
        services.land(bills, NOW)
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(params=["at home", "in a bucket"])
def bills(request, home, settings, tmp_path):
    if request.param == "in a bucket":
        settings.COSTOPS_LANDING = home / "cache" / "landing"
        settings.COSTOPS_LAKE = home / "cache" / "lake"
        lay_lake(settings, request.getfixturevalue("lake_bucket"), uuid.uuid4().hex)
    return source(tmp_path / "in")


def test_what_a_killed_worker_landed_goes_and_what_a_row_names_stays(bills, caplog):
    lost = landed(bills, bill(row("1")), killed=True)
    kept = landed(bills, bill(row("2")))
    assert leftovers.sweep(timezone.now()) == 0, "its writer may be about to enter it"
    assert there() == {lost, kept}
    assert [leftovers.sweep(LATER), leftovers.sweep(LATER)] == [1, 0]
    assert there() == {kept}
    assert "1 landed files swept, which no row names." in caplog.messages
    services.normalize(bills, NOW)
    assert total() == 2


def test_another_database_takes_nothing_away(bills, caplog):
    """One that was set back, or of another installation, names few of the files that lie there."""
    lie = {landed(bills, bill(row(f"{cost}"))) for cost in range(1, 5)}
    LandedFile.objects.exclude(sha256=min(lie)).delete()
    assert leftovers.sweep(LATER) == 0
    assert there() == lie
    assert "3 of 4 landed files are named by no row; nothing was swept" in caplog.text


def test_bytes_that_are_landed_again_meanwhile_stay(bills, monkeypatch):
    """They were listed as old, and are young when their turn comes."""
    lost = landed(bills, bill(row("1")), killed=True)
    store = type(orphans.store())
    listed = store.listed

    def young(self, prefix, **more):
        for one in listed(self, prefix, **more):
            yield type(one)(**{**vars(one), "modified": LATER}) if prefix.endswith(lost) else one

    monkeypatch.setattr(store, "listed", young)
    assert leftovers.sweep(LATER) == 0
    assert there() == {lost}


def test_no_row_is_there_of_bytes_that_are_gone(bills):
    """A worker that was frozen before it entered them, for longer than the grace period."""
    enter = services._enter

    def after_days(*given):
        leftovers.sweep(LATER)
        enter(*given)

    put(Path(bills.location), "a.csv", bill(row("1")))
    with patch.object(services, "_enter", after_days), pytest.raises(landing.Swept, match="is gone before it was"):
        services.land(bills, NOW)
    assert not LandedFile.objects.exists()
    services.land(bills, NOW)
    services.normalize(bills, NOW)
    assert total() == 1


def test_what_is_none_of_ours_stays(home):
    for name in ("ab/notes.txt", ".receipts/" + "a" * 64, "ab/" + "b" * 63):
        path = home / "landing" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    link = home / "landing" / "cc" / ("c" * 64)
    link.parent.mkdir()
    link.symlink_to(home / "landing" / "ab" / "notes.txt")
    assert leftovers.sweep(LATER) == 0
    assert link.is_symlink()


def test_what_waits_from_an_earlier_run_is_as_young_as_if_landed_now(home):
    kept = landing.landed_path("d" * 64)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"x")
    os.utime(kept, (0, 0))
    assert landing.is_landed_again("d" * 64)
    assert kept.stat().st_mtime > 1e9
    assert not landing.is_landed_again("e" * 64)
    assert shared.missing([kept, kept.with_name("e" * 64)]) == [kept.with_name("e" * 64)]
