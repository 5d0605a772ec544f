"""Many small worlds in one run: each on a day of its own, for days are allocated each by itself."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.allocation.worlds import Row, World

Together = Callable[..., "list[list[Row]]"]


@pytest.fixture(scope="module")
def together(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Together]:
    """Allocate worlds together; the rows of each, in their order."""
    from django.db import transaction
    from django.test import override_settings

    from tests.allocation.worlds import allocated_together

    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(override_settings(COSTOPS_LAKE=tmp_path_factory.mktemp("lake")))
        stack.enter_context(transaction.atomic())

        def allocate_all(worlds: "list[World]", rules: str) -> "list[list[Row]]":
            return allocated_together(worlds, rules)

        yield allocate_all
        transaction.set_rollback(True)
