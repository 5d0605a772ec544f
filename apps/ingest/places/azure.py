"""Azure Blob Storage as it is asked here: faults are told at once, redirects not followed. Loaded only where asked.

Azure's client repeats a question for a minute by itself, and follows whoever sends it elsewhere; repeating is ours.
"""

from typing import Any

from adlfs import AzureBlobFileSystem
from azure.storage.blob.aio import BlobServiceClient

from apps.ingest.places.reach import check

CONNECT_SECONDS, READ_SECONDS = 10, 60


class AzureStore(AzureBlobFileSystem):  # type: ignore[misc]  # the library publishes no types
    """The library's file system, over a client of ours with the same address and credentials."""

    service_client: Any

    def do_connect(self) -> None:
        super().do_connect()
        check(self.service_client.url)
        self.service_client = BlobServiceClient(
            self.service_client.url,
            credential=self.service_client.credential,
            retry_total=0,
            permit_redirects=False,
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
        )
