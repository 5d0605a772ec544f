"""The days of a publication that are over: what learns looks at these alone, and again only when they changed."""

import hashlib
from datetime import date

from apps.finops.tables import LAKE
from apps.marts.models import Publication
from apps.warehouse import lake


def finished(pinned: Publication, *, today: date) -> str:
    """What was published of the days before `today`, as one fingerprint: the files of all that is kept by day, and of
    what is kept by month in months that are over.

    Charges are kept by file; a day whose charges changed is allocated anew, and so has another file. An hour that comes
    today changes nothing here.
    """
    over = {"day": f"{today}", "month": f"{today:%Y-%m}"}
    digest = hashlib.sha256()
    for table in LAKE:
        at, by = pinned.versions.get(table.name), next((name for name in over if name in table.partition_by), None)
        if at is not None and by is not None:
            names = sorted(file.path for file in lake.files(table, at=at) if file.partition[by] < over[by])
            digest.update(repr((table.name, names)).encode())
    return digest.hexdigest()
