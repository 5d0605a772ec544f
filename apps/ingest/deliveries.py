"""Which files make up a billing period.

1. A file changed in place supersedes its earlier revision.
2. Files found together form one delivery.
3. A later delivery whose new files tell every day that an account was billed before re-issues its month: the earlier
   files of that account stop counting. A file never replaces charges of an account it does not tell.
4. Unless a file that told one of its accounts in that month was rewritten in place in the same delivery: then a new
   file joins as a part, or is asked about where it tells all of several files that were not, like a month anew.
5. A later delivery that only brings new days, or other hours of a day, adds to the month.
6. One that tells some days again and leaves others out is asked about (`apps.ingest.delivered.Dispute`).
7. A vanished file keeps counting.
8. `files=parts` always adds; `files=snapshots` always replaces the month of its accounts.
9. The same content under another name is a duplicate for as long as a file that counts holds it.
10. Where a manifest names the release of a period, only the files of its last release count (`apps.ingest.releases`).
11. Where the same bytes are the same charges whatever period their place names, they count once (`apps.ingest.copies`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from apps.ingest import releases
from apps.ingest.copies import copied
from apps.ingest.delivered import Delivered, Dispute, Policy, Verdict, judge, judge_parts, shares_account

__all__ = ["Delivered", "Dispute", "Policy", "Settlement", "settle"]

Counting = dict[str, dict[str, Delivered]]
"""Window → path → the revision that counts."""


@dataclass(frozen=True)
class Settlement:
    """The pairs (file key, window) that count, the files whose content another one that counts holds, and those that
    are to be asked about and do not count → what is asked."""

    counting: set[tuple[str, str]]
    duplicates: set[str]
    disputed: dict[str, Dispute]


def settle(files: Iterable[Delivered], policy: Policy = "auto", *, same_anywhere: bool = False) -> Settlement:
    """What counts, told from everything that was ever delivered; with `same_anywhere` the same bytes count once,
    whatever period their places name.

    A pure function of history: told twice it says the same, so a killed run is repeated without harm.
    """
    files = list(files)
    replay = _Replay(policy)
    unnamed = (file for file in files if not file.period and not file.is_refused)
    ordered = sorted(unnamed, key=lambda file: (file.delivery, file.path, file.revision))
    for _, delivered in groupby(ordered, key=lambda file: file.delivery):
        replay.deliver(list(delivered))
    released = releases.settle(files)
    loose = {(file.key, window) for window, by_path in replay.counting.items() for file in by_path.values()}
    counting = loose | released.counting
    copies = copied(files, counting) if same_anywhere else set()
    return Settlement(
        counting - copies,
        replay.duplicates | released.duplicates | {key for key, _ in copies},
        replay.disputed | released.disputed,
    )


@dataclass
class _Step:
    """What would come of a delivery: the paths that stop counting in the windows it touches, what begins to count, and
    which files are duplicates."""

    spares: list[Delivered]
    returned: list[Delivered]
    gone: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    come: Counting = field(default_factory=lambda: defaultdict(dict))
    disputed: dict[str, Dispute] = field(default_factory=dict)

    def take(self, window: str, bringing: list[Delivered], verdicts: list[Verdict]) -> None:
        """Let what was brought count in a window beside what it does not replace."""
        for verdict in verdicts:
            if verdict.dispute:
                self.disputed |= dict.fromkeys(verdict.asked, verdict.dispute)
            for path in verdict.replaced:
                self.gone[window].add(path)
                self.come[window].pop(path, None)
        self.come[window] |= {file.path: file for file in bringing}


class _Replay:
    """What counts while delivery follows delivery.

    `where` are the windows in which a path counts, `held` how often a content counts, `spared` the duplicates by path,
    and `spares` by content and path.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.counting: Counting = defaultdict(dict)
        self.where: dict[str, set[str]] = defaultdict(set)
        self.held: Counter[str] = Counter()
        self.spared: dict[str, Delivered] = {}
        self.spares: dict[str, dict[str, Delivered]] = defaultdict(dict)
        self.disputed: dict[str, Dispute] = {}

    @property
    def duplicates(self) -> set[str]:
        return {file.key for file in self.spared.values() if self.held[file.content]}

    def deliver(self, delivered: list[Delivered]) -> None:
        """Take a delivery, but for the files that are to be asked about: as if these had not come."""
        while (step := self._step(delivered)).disputed:
            self.disputed |= step.disputed
            delivered = [file for file in delivered if file.key not in step.disputed]
        for window, paths in step.gone.items():
            for path in paths:
                self._leave(window, path)
        for window, by_path in step.come.items():
            for file in by_path.values():
                self._leave(window, file.path)
                self.counting[window][file.path] = file
                self.where[file.path].add(window)
                self.held[file.content] += 1
        for file in (*delivered, *step.returned):
            if spare := self.spared.pop(file.path, None):
                del self.spares[spare.content][file.path]
        for file in step.spares:
            self.spared[file.path] = self.spares[file.content][file.path] = file

    def _leave(self, window: str, path: str) -> None:
        if file := self.counting[window].pop(path, None):
            self.where[path].discard(window)
            self.held[file.content] -= 1

    def _step(self, delivered: list[Delivered]) -> _Step:
        paths = {file.path for file in delivered}
        gone = {
            window: [file for path, file in self.counting[window].items() if path in paths]
            for window in sorted({window for path in paths for window in self.where.get(path, ())})
        }
        lost = Counter(file.content for files in gone.values() for file in files)
        joining, spares = self._parted(delivered, lost)
        back = self._back(gone, joining, paths)
        returned = [file for by_path in back.values() for file in by_path.values()]
        joining = [file for file in joining if file not in returned]
        step = _Step(spares, returned)
        for window in sorted({window for file in joining for window in file.windows} | gone.keys()):
            bringing = [file for file in joining if window in file.windows]
            earlier = {path: file for path, file in self.counting.get(window, {}).items() if path not in paths}
            step.gone[window] = {file.path for file in gone.get(window, ())}
            step.come[window] = dict(back.get(window, {}))
            verdicts = self._judged(window, earlier, back, bringing, gone.get(window, []))
            step.take(window, bringing, [*verdicts])
        return step

    def _judged(
        self,
        window: str,
        earlier: dict[str, Delivered],
        back: Counting,
        bringing: list[Delivered],
        gone: list[Delivered],
    ) -> Iterator[Verdict]:
        yield judge(back.get(window, {}).values(), bringing, window, self.policy)
        if self.policy == "snapshots":
            yield judge(earlier.values(), bringing, window, self.policy)
        elif self.policy == "auto":
            newcomers = [file for file in bringing if window not in self.where.get(file.path, ())]
            parts = [file for file in newcomers if shares_account(file, gone, window)]
            yield judge(earlier.values(), [file for file in newcomers if file not in parts], window, self.policy)
            yield judge_parts(earlier.values(), parts, window)

    def _parted(self, delivered: list[Delivered], lost: Counter[str]) -> tuple[list[Delivered], list[Delivered]]:
        """The files whose content does not count yet, of the same content the first; and the others."""
        joining: list[Delivered] = []
        spares: list[Delivered] = []
        taken: set[str] = set()
        for file in delivered:
            is_held = self.held[file.content] > lost[file.content] or file.content in taken
            (spares if file.content and is_held else joining).append(file)
            taken.add(file.content)
        return joining, spares

    def _back(self, gone: Mapping[str, list[Delivered]], joining: list[Delivered], paths: set[str]) -> Counting:
        """Duplicates whose other file was rewritten, to count in its place where they are not told again."""
        back: Counting = defaultdict(dict)
        for window, files in gone.items():
            for content in {file.content for file in files} - {""}:
                new = [file for file in joining if file.content == content]
                if any(self.where.get(file.path) or self.policy == "parts" for file in new):
                    continue
                spares = [file for path, file in self.spares.get(content, {}).items() if path not in paths]
                for file in [*new, *spares][:1]:
                    back[window][file.path] = file
        return back
