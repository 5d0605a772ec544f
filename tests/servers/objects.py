"""An object store that speaks S3, on loopback, with faults on demand."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import Any

from tests.servers.front import Front, running

REGION = "us-east-1"
KEY, SECRET = "AKIATESTTESTTEST", "a-secret-of-the-test-0123456789"


@dataclass
class ObjectStore(Front):
    """S3 behind a front."""

    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.address, region_name=REGION, aws_access_key_id=KEY, aws_secret_access_key=SECRET
        )


@contextmanager
def running_store() -> Iterator[ObjectStore]:
    from moto.server import DomainDispatcherApplication, create_backend_app

    store, behind, deciding = ObjectStore(), DomainDispatcherApplication(create_backend_app), Lock()

    def one_after_another(environ: dict[str, Any], start: Any) -> Any:
        """S3 decides at once whether an object may be written; the server looks first and writes afterwards."""
        with deciding if environ["REQUEST_METHOD"] == "PUT" else nullcontext():
            return behind(environ, start)

    with running(store, one_after_another):
        yield store


def settings_of(store: ObjectStore, prefix: str, *, bucket: str = "lake") -> dict[str, str]:
    """The environment of an installation whose lake lies in the store."""
    return {
        "COSTOPS_LAKE": f"s3://{bucket}/{prefix}",
        "COSTOPS_LAKE_ENDPOINT": store.address,
        "COSTOPS_LAKE_REGION": REGION,
        "COSTOPS_LAKE_ADDRESSING": "path",
        "COSTOPS_LAKE_KEY": KEY,
        "COSTOPS_LAKE_SECRET": SECRET,
    }


def lay_lake(settings: Any, store: ObjectStore, prefix: str, *, commit: str = "s3") -> None:
    """The same for this process: `settings` is pytest-django's."""
    told = settings_of(store, prefix)
    settings.COSTOPS_LAKE_URL = told["COSTOPS_LAKE"]
    settings.COSTOPS_LAKE_ENDPOINT, settings.COSTOPS_LAKE_REGION = store.address, REGION
    settings.COSTOPS_LAKE_ADDRESSING, settings.COSTOPS_LAKE_COMMIT = "path", commit
    settings.COSTOPS_LAKE_CREDENTIALS = {"key": KEY, "secret": SECRET}
