"""
Turn the Collector's `tls` keys into TLS contexts for a server and for a client.
"""

import ssl
from pathlib import Path

import attrs

from otelwasm.errors import SetupError

__all__ = ["ClientTls", "ServerTls"]


@attrs.frozen
class ServerTls:
    """
    A server's certificate; with *client_ca_file* its clients have to show one, too.
    """

    cert_file: Path
    """The certificate with its chain, PEM."""
    key_file: Path
    """Its private key, PEM."""
    client_ca_file: Path | None = None
    """Clients have to show a certificate that one of these signed."""

    def ssl_context(self) -> ssl.SSLContext:
        """
        Return what a server listens with.
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
    """Speak plain text."""
    ca_file: Path | None = None
    """Trust servers that one of these signed, in place of the system's list."""
    cert_file: Path | None = None
    """The certificate to show to a server, PEM."""
    key_file: Path | None = attrs.field(default=None, validator=_both_or_none)
    """Its private key, PEM."""

    def ssl_context(self) -> ssl.SSLContext:
        """
        Return what a client connects with.
        """
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            _load_roots(context, self.ca_file)
        if self.cert_file is not None and self.key_file is not None:
            _load_chain(context, self.cert_file, key_file=self.key_file)
        return context


def _check_readable(path: Path) -> None:
    """
    Find out whether *path* can be read: what OpenSSL says of a file does not name it.
    """
    try:
        path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path}: cannot be read: {error.strerror}") from error


def _load_chain(context: ssl.SSLContext, cert_file: Path, *, key_file: Path) -> None:
    for path in (cert_file, key_file):
        _check_readable(path)
    try:
        context.load_cert_chain(cert_file, key_file, password=_no_password)
    except (OSError, ValueError) as error:
        raise SetupError(
            f"{cert_file} and {key_file} are no certificate and its key, in PEM: {error}"
        ) from error


def _load_roots(context: ssl.SSLContext, path: Path) -> None:
    _check_readable(path)
    try:
        context.load_verify_locations(path)
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} holds no certificates in PEM: {error}") from error


def _no_password() -> str:
    raise ValueError("the key is encrypted; give one without a password")
