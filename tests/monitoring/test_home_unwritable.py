"""A home folder that cannot be written: whoever asks is told what is wrong, in a sentence and without a traceback."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from costops import embedded
from tests.servers.installation import new_installation

ASK = ("manage.py", "ask", "--group-by", "team", "--start", "2026-10-01", "--end", "2026-11-01")


def in_place_of(name: str) -> Callable[[Path], None]:
    """A folder lies where a file is to be: so much nobody may write, whoever they are."""

    def put(home: Path) -> None:
        (home / name).unlink(missing_ok=True)
        (home / name).mkdir()

    return put


def no_folder(home: Path) -> None:
    """The home folder is a file."""
    (home / "costops.sqlite3").unlink()
    home.rmdir()
    home.touch()


@pytest.mark.parametrize(
    ("spoil", "is_migrated", "said"),
    [
        pytest.param(
            in_place_of("costops.sqlite3"), True,
            "The database's file or its folder cannot be opened or written (unable to open database file).",
            id="database",
        ),
        pytest.param(
            in_place_of("migrate.lock"), False,
            "The database's file or its folder cannot be opened or written ({home}/migrate.lock: Is a directory).",
            id="lock",
        ),
        pytest.param(
            in_place_of("secret_key"), True, "CostOps does not start. {home}/secret_key: Is a directory.", id="key",
        ),
        pytest.param(no_folder, True, "CostOps does not start. {home}: File exists.", id="a file in its place"),
    ],
)  # fmt: skip
def test_a_home_folder_that_cannot_be_written_is_told(
    tmp_path: Path, spoil: Callable[[Path], None], is_migrated: bool, said: str
) -> None:
    installation = new_installation(tmp_path / "home", is_migrated=is_migrated)
    spoil(installation.home)

    done = installation.run(*ASK)

    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith(said.format(home=installation.home))
    assert line.endswith(("COSTOPS_HOME.", "COSTOPS_HOME names it."))


@pytest.mark.parametrize(
    ("error", "said", "is_mended_by_another"),
    [
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device"),
            "The database cannot be brought up to date (No space left on device).", False,
            id="full, without a name",
        ),
        pytest.param(
            OSError(errno.EIO, "Input/output error", "/home/migrate.lock"),
            "The database cannot be brought up to date (/home/migrate.lock: Input/output error).", False,
            id="a broken disk",
        ),
        pytest.param(
            OSError("torn"), "The database cannot be brought up to date (torn).", False, id="nothing but words",
        ),
        pytest.param(
            OSError(errno.EROFS, "Read-only file system"),
            "The database's file or its folder cannot be opened or written (Read-only file system). Mount", True,
            id="not to be written",
        ),
    ],
)  # fmt: skip
def test_another_home_folder_is_advised_where_that_mends_it(
    monkeypatch: pytest.MonkeyPatch, error: OSError, said: str, is_mended_by_another: bool
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(embedded, "_apply_what_is_missing", fail)
    with pytest.raises(SystemExit) as end:
        embedded.bring_up_to_date()
    assert str(end.value).startswith(said)
    assert ("COSTOPS_HOME" in str(end.value)) is is_mended_by_another
