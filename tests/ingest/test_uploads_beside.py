"""Files that people bring through several web machines, whose lake lies in a bucket: what came last counts, on all."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from apps.ingest import fetching, sources, uploads
from apps.ingest.services import land, normalize
from apps.warehouse import fencing, shared
from apps.warehouse.fencing import TakenOver
from tests.ingest.bills import NOW, bill, row, total
from tests.ingest.test_in_bucket import be

__all__ = ["be"]
pytestmark = [pytest.mark.django_db]


class Web:
    """Web machines and a worker, whose home folders have one path, as in containers: the others' lie aside."""

    def __init__(self, folder: Path) -> None:
        self.source = sources.add_upload_source(name="up", kind="focus", cluster="", options={}, now=NOW)
        self.aside, self.here, self.hours = folder, "worker", 0

    def on(self, name: str) -> None:
        if name == self.here:
            return
        folder = sources.uploads_folder("up")
        if folder.exists():
            folder.rename(self.aside / f"aside-{self.here}")
        if (self.aside / f"aside-{name}").exists():
            (self.aside / f"aside-{name}").rename(folder)
        self.here = name

    def upload(self, name: str, *rows: dict[str, str]) -> None:
        content = bill(*rows)
        (self.aside / "came").write_bytes(content)
        uploads.keep(self.source, [uploads.Brought(name, self.aside / "came", len(content))])

    def total(self) -> int:
        """What the worker makes of it."""
        self.on("worker")
        self.hours += 1
        now = NOW + timedelta(hours=self.hours)
        land(self.source, now)
        normalize(self.source, now)
        return int(total())


@pytest.fixture
def web(be, tmp_path):
    return Web(tmp_path)


@pytest.mark.parametrize("is_landed", [True, False])
def test_a_file_brought_to_one_machine_leaves_a_correction_brought_to_another(web, is_landed):
    web.on("web1")
    web.upload("october.csv", row("100"))
    assert web.total() == 100
    web.on("web2")
    web.upload("october.csv", row("120"))
    if is_landed:
        assert web.total() == 120
    web.on("web1")
    web.upload("note.csv", row("1", ResourceId="i-9"))
    web.total()
    told = web.source.files.filter(path="october.csv").order_by("revision").values_list("state", "contents")
    assert [state for state, _contents in told] == ["superseded", "current"]
    assert "120" in str(told[1][1])


def test_a_correction_counts_whoever_looks_at_the_folder_meanwhile(web):
    for number in range(5):
        web.upload(f"a{number}.csv", row("1", ResourceId=f"i-{number}"))
    web.upload("october.csv", row("100"))
    for amount in range(101, 107):
        over = threading.Event()

        def look(over=over):
            while not over.is_set():
                shared.bring_folder(sources.uploads_folder("up"))

        looking = threading.Thread(target=look)
        looking.start()
        web.upload("october.csv", row(str(amount)))
        over.set()
        looking.join()
        assert web.total() == 5 + amount


def test_what_a_run_fetched_that_was_taken_over_is_not_sent(be, settings, monkeypatch):
    """It may be older than what the one that took over has sent since."""
    fetched = sources.fetched_folder("api")

    class Api:
        @staticmethod
        def fetch(_ask):
            fetched.mkdir(parents=True, exist_ok=True)
            (fetched / "old.csv").write_text("old")
            return ()

    monkeypatch.setattr(fetching, "api_of", lambda _kind: Api)
    source = sources.add_upload_source(name="api", kind="focus", cluster="", options={}, now=NOW)
    with fencing.held_while(lambda: False), pytest.raises(TakenOver):
        fetching.fetch(source, NOW)
    monkeypatch.setattr(Api, "fetch", lambda _ask: ())
    fetching.fetch(source, NOW)  # nothing new; but what was left unsent is sent
    (fetched / "old.csv").unlink()
    shared.bring_folder(fetched)
    assert (fetched / "old.csv").read_text() == "old"
