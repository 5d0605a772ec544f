"""An object store that speaks S3, on loopback, with faults on demand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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

    store = ObjectStore()
    with running(store, DomainDispatcherApplication(create_backend_app)):
        yield store
