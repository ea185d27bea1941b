"""
Certificates are read before anything starts, and what is wrong with them is said.
"""

from pathlib import Path

import pytest

from otelwasm.errors import SetupError
from otelwasm.otlp.tls import ClientTls, ServerTls
from unit.otlp.certificates import issue_certificates


def test_bad_certificate_files_are_named(tmp_path: Path) -> None:
    """
    A file that is missing, or holds something else, is one clear error before anything starts.
    """
    issue_certificates(tmp_path)
    key, pem, missing = (tmp_path / name for name in ("server.key", "server.pem", "none.pem"))
    mistakes = [
        (ServerTls(missing, key), "none.pem: cannot be read: No such file"),
        (ServerTls(pem, tmp_path / "client.key"), "are no certificate and its key"),
        (ServerTls(pem, key, client_ca_file=key), "holds no certificates in PEM"),
        (ClientTls(ca_file=missing), "none.pem: cannot be read: No such file"),
        (ClientTls(ca_file=key), "holds no certificates in PEM"),
        (ClientTls(cert_file=key, key_file=pem), "are no certificate and its key"),
    ]

    for tls, message in mistakes:
        with pytest.raises(SetupError, match=message):
            tls.ssl_context()


def test_half_a_client_certificate_is_refused() -> None:
    """
    A certificate without its key, or a key alone, is named before anything starts.
    """
    for half in ({"cert_file": Path("a")}, {"key_file": Path("a")}):
        with pytest.raises(ValueError, match="cert_file and key_file belong together"):
            ClientTls(**half)
