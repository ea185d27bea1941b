"""
Issue certificates for tests, good for nothing but this machine.
"""

from pathlib import Path

import trustme

__all__ = ["issue_certificates"]


def issue_certificates(folder: Path) -> None:
    """
    Write a CA, another CA, and a server's and a client's certificate of the first.
    """
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "other.pem")
    for name in ("server", "client"):
        issued = ca.issue_cert("localhost")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
