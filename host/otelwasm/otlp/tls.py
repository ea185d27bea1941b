"""
Turn the Collector's `tls` keys into what gRPC and HTTP take for a server and for a client.
"""

import ssl
from pathlib import Path

import attrs
import grpc

from otelwasm.errors import SetupError

__all__ = ["ClientTls", "ServerTls"]


@attrs.frozen
class ServerTls:
    """
    A server's certificate; with *client_ca_file* its clients have to show one, too.
    """

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """
        Return what a gRPC server listens with.
        """
        self.ssl_context()  # gRPC itself only notices a bad file at the first connection
        roots = None if self.client_ca_file is None else _read(self.client_ca_file)
        return grpc.ssl_server_credentials(
            [(_read(self.key_file), _read(self.cert_file))],
            root_certificates=roots,
            require_client_auth=roots is not None,
        )

    def ssl_context(self) -> ssl.SSLContext:
        """
        Return what an HTTP server listens with.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        _load_chain(context, self.cert_file, key_file=self.key_file)
        if self.client_ca_file is not None:
            _load_roots(context, self.client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def _both_or_none(tls: "ClientTls", _: object, key_file: Path | None) -> None:
    if (tls.cert_file is None) != (key_file is None):
        raise ValueError("cert_file and key_file belong together; give both or none")


@attrs.frozen
class ClientTls:
    """
    How a client trusts a server, and shows who it is itself; *insecure* is plain text.
    """

    insecure: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = attrs.field(default=None, validator=_both_or_none)

    def grpc_credentials(self) -> grpc.ChannelCredentials:
        """
        Return what a gRPC channel is opened with.
        """
        self.ssl_context()  # gRPC itself only notices a bad file at the first connection
        return grpc.ssl_channel_credentials(
            root_certificates=None if self.ca_file is None else _read(self.ca_file),
            private_key=None if self.key_file is None else _read(self.key_file),
            certificate_chain=None if self.cert_file is None else _read(self.cert_file),
        )

    def ssl_context(self) -> ssl.SSLContext:
        """
        Return what an HTTP client connects with.
        """
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            _load_roots(context, self.ca_file)
        if self.cert_file is not None and self.key_file is not None:
            _load_chain(context, self.cert_file, key_file=self.key_file)
        return context


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path}: cannot be read: {error.strerror}") from error


def _load_chain(context: ssl.SSLContext, cert_file: Path, *, key_file: Path) -> None:
    for path in (cert_file, key_file):
        _read(path)
    try:
        context.load_cert_chain(cert_file, key_file, password=_no_password)
    except (OSError, ValueError) as error:
        raise SetupError(
            f"{cert_file} and {key_file} are no certificate and its key, in PEM: {error}"
        ) from error


def _load_roots(context: ssl.SSLContext, path: Path) -> None:
    _read(path)
    try:
        context.load_verify_locations(path)
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} holds no certificates in PEM: {error}") from error


def _no_password() -> str:
    raise ValueError("the key is encrypted; give one without a password")
