"""A real S3 server for tests: moto's, in a process of its own on a free port of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKET = "quanze-test"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip

_SERVER = """
import sys
from werkzeug.serving import make_server
from moto.server import DomainDispatcherApplication, create_backend_app
server = make_server("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def s3_server(log: Path, port: int = 0) -> Iterator[str]:
    """Run a server with one empty bucket, and give its address; it forgets everything when it ends."""
    with log.open("ab") as errors:
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(port)], stdout=subprocess.PIPE, stderr=errors, text=True,
            env={**os.environ, **CREDENTIALS},
        )  # fmt: skip
        assert server.stdout is not None
        try:
            address = f"http://127.0.0.1:{int(server.stdout.readline())}"
            client_of(address).create_bucket(Bucket=BUCKET)
            yield address
        finally:
            server.kill()
            server.wait()
            server.stdout.close()


def client_of(address: str) -> Any:
    """Return a client of the server that is not ours."""
    return boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
