"""Azure Blob Storage on loopback: Azurite, Microsoft's own emulator, which `make test` brings where npm is there."""

import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.servers.front import Front, relay, running
from tests.servers.process import free_port, start

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's well-known account, which it documents for everybody."""
PROGRAM = Path(".tools/azurite/node_modules/azurite/dist/src/blob/main.js")


@dataclass
class BlobStore(Front):
    """Azurite behind a front."""

    def connection(self, key: str = KEY) -> str:
        """A connection string that signs every request with a key."""
        endpoint = f"{self.address}/{ACCOUNT}"
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={endpoint};"

    def shared_access(self) -> str:
        """A connection string with a shared access signature, which does not cover the questions that are asked."""
        from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

        signature = generate_account_sas(
            ACCOUNT,
            KEY,
            ResourceTypes(service=True, container=True, object=True),
            AccountSasPermissions(read=True, list=True),
            datetime.now(UTC) + timedelta(hours=1),
        )
        return f"BlobEndpoint={self.address}/{ACCOUNT};SharedAccessSignature={signature}"

    def client(self) -> Any:
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient.from_connection_string(self.connection())


def is_there() -> bool:
    """Whether `make test` could bring it: it needs npm."""
    return PROGRAM.exists()


@contextmanager
def running_azurite(folder: Path) -> Iterator[BlobStore]:
    """Azurite with its data in a folder."""
    port = free_port()
    command = [str(shutil.which("node")), str(PROGRAM), "--blobPort", str(port), "--location", str(folder / "data")]
    command += ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    server = start(command, log=folder / "azurite.log")
    server.wait_until(lambda: _answers(port), what="Azurite")
    store = BlobStore()
    try:
        with running(store, relay(port)):
            yield store
    finally:
        server.stop()


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/{ACCOUNT}?comp=list", timeout=2).close()
    except urllib.error.HTTPError:
        return True  # it refuses us, so it is there
    except OSError:
        return False
    return True
