"""One running site for the tests of assistants and recipes."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.assistants.world import served

    with served(tmp_path_factory.mktemp("site")) as found:
        yield found
