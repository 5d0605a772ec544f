"""CSV and Parquet of anyone, read by a mapping that a user wrote: for bills no other provider here reads."""

from collections.abc import Mapping
from dataclasses import replace

from apps.ingest.providers.base import Provider
from apps.ingest.providers.generic import document


def _configure(options: Mapping[str, str]) -> Provider:
    if "mapping" not in options:
        raise document.BadMapping("This kind needs --option mapping=FILE, a mapping as docs/providers/csv.md tells.")
    found = document.read(options["mapping"])
    return replace(PROVIDER, mappings=(found.mapping,), encodings=found.encodings)


PROVIDER = Provider(
    kind="csv",
    title="CSV by a mapping",
    mappings=(),
    documents={"mapping": "the mapping file of kind csv (YAML); its content is kept with the source"},
    configure=_configure,
)
