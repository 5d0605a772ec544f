"""When two addresses of mail are the same: A and a are, and no other two letters."""

from typing import Any

from django.db.models import CharField
from django.db.models.lookups import IExact


class SameAddress(IExact):
    """`email__same_address=…`. Django's `iexact` asks PostgreSQL for capitals, and those of ı and i are one in most
    locales: whoever proves an address with ı would pass for the owner of the one with i (CVE-2019-19844)."""

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, of_left = compiler.compile(self.lhs)
        right, of_right = self.process_rhs(compiler, connection)
        return f'UPPER({left} COLLATE "C") = UPPER({right} COLLATE "C")', [*of_left, *of_right]


def register() -> None:
    CharField.register_lookup(SameAddress, "same_address")
