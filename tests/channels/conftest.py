"""What the tests of channels share: a receiver that may be reached."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.hooks import Receiver, running_receiver


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """An HTTP receiver on this machine, which the installation allows to be asked."""
    with running_receiver() as found:
        settings.COSTOPS_CHANNEL_HOSTS = [f"127.0.0.1:{found.port}"]
        yield found
