"""
Run a real S3 server, versitygw, and reach it as the host does for a plugin: with a signature.
"""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from otelwasm.outbound.client import Client
from otelwasm.outbound.config import AllowConfig, AwsSigV4Config, HttpConfig, SignConfig
from otelwasm_sdk.http import Request, Response

__all__ = ["Bucket", "serving"]

ACCESS_KEY, SECRET_KEY = "AKIATEST", "c2VjcmV0"
SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "tool"


class Bucket:
    """
    An empty bucket of its own.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        sign = AwsSigV4Config("s3", "us-east-1", ACCESS_KEY, SECRET_KEY)
        allow = AllowConfig(url, methods=("GET", "PUT", "DELETE"), sign=SignConfig(sign))
        self._client = Client(HttpConfig((allow,)), plugin="test")

    def send(self, request: Request) -> Response:
        """
        Send a request as the host sends a plugin's: signed.
        """
        answer = self._client.send(
            request.method,
            request.url,
            headers=request.headers,
            body=request.body,
            timeout_s=request.timeout_s,
        )
        return Response(answer.status, answer.body, answer.headers)

    def put(self, key: str, body: bytes) -> None:
        """
        Keep an object.
        """
        answer = self.send(Request("PUT", f"{self.url}/{key}", body=body))
        assert 200 == answer.status, answer.text()

    def close(self) -> None:
        """
        Close its connections.
        """
        self._client.close()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """
    Run versitygw, which keeps its buckets in *folder*, until the block ends; gives its URL.
    """
    program = subprocess.run([SCRIPT, "versitygw"], capture_output=True, text=True, check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name in ("data", "sidecar"):
        (folder / name).mkdir()
    command = [program.stdout.strip(), "--access", ACCESS_KEY, "--secret", SECRET_KEY]
    command += ["--port", f"127.0.0.1:{port}", "--quiet"]
    # A temporary folder may not have the extended attributes that it would use.
    command += ["posix", "--sidecar", str(folder / "sidecar"), str(folder / "data")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_until_it_listens(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(1000):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except ConnectionRefusedError:
            # Ends at once where the process does.
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.03)
                break
    raise AssertionError(f"versitygw does not listen; it ended with {process.poll()}")
