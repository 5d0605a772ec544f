"""Questions asked at every request, written as SQL once: that takes far longer than to have them answered."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import connection
from django.db.models import QuerySet


class Compiled:
    """A query of the ORM with marks in the place of values; `rows` asks it with the values themselves.

    `make` builds it from its marks, one each, which stand nowhere else in it. Values are given as the database takes
    them: numbers and texts as they are, days by `connection.ops.adapt_datefield_value`.
    """

    def __init__(self, make: Callable[..., "QuerySet[Any, Any]"], **marks: Any) -> None:
        self._make, self._marks = make, marks
        self._written: dict[str, tuple[str, tuple[Any, ...]]] = {}

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        sql, params = self._of_this_database()
        told = {self._adapted(mark): values[name] for name, mark in self._marks.items()}
        with connection.cursor() as cursor:
            cursor.execute(sql, [_value(told, one) for one in params])
            return list(cursor.fetchall())

    def _of_this_database(self) -> tuple[str, tuple[Any, ...]]:
        found = self._written.get(connection.vendor)
        if found is None:
            found = self._make(**self._marks).query.get_compiler(connection=connection).as_sql()
            missing = [name for name, mark in self._marks.items() if self._adapted(mark) not in found[1]]
            if missing:
                raise ValueError(f"The query has no place for {', '.join(missing)}.")
            self._written[connection.vendor] = found
        return found

    def _adapted(self, mark: Any) -> Any:
        return connection.ops.adapt_datefield_value(mark) if hasattr(mark, "isoformat") else mark


def _value(told: Mapping[Any, Any], param: Any) -> Any:
    try:
        return told.get(param, param)
    except TypeError:  # what cannot be looked up is no mark
        return param
