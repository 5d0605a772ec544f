"""What a source's API has, brought into a folder that the machines share."""

from datetime import datetime
from pathlib import Path

from apps.finops.problems import Problem
from apps.ingest.models import Source
from apps.ingest.providers.base import Ask
from apps.ingest.sources import api_of, fetched_folder
from apps.warehouse import fencing, shared


def fetch(source: Source, now: datetime) -> tuple[Problem, ...]:
    """Bring what a source's API has into a folder of its own; nothing to do for a place of files."""
    api = api_of(source.kind)
    if not api:
        return ()
    folder = fetched_folder(source.name)
    shared.bring_folder(folder)
    before = _stamps(folder)
    problems = api.fetch(Ask(source.location, source.options, folder, now))
    fencing.check()  # what was fetched long ago is no news for the others
    for path in sorted({path for path, _stamp in _stamps(folder) - before} | shared.unsent(folder)):
        shared.send_as(path, path)
    return problems


def _stamps(folder: Path) -> set[tuple[Path, tuple[int, int]]]:
    """The files of a folder as they are."""
    return {(path, ((facts := path.stat()).st_size, facts.st_mtime_ns)) for path in shared.files_in(folder)}
