"""
Signatures are those that AWS publishes for its examples.

The first group is from AWS's Signature Version 4 test suite, the second from "Signature
Calculations for the Authorization Header" of the Amazon S3 API Reference.
"""

from datetime import UTC, datetime

import attrs
import pytest

from otelwasm.outbound.config import AwsSigV4Config
from otelwasm.outbound.sigv4 import sign
from otelwasm.outbound.urls import Url

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE = AwsSigV4Config("service", "us-east-1", "AKIDEXAMPLE", SECRET)
SUITE_TIME = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
S3 = AwsSigV4Config(
    "s3", "us-east-1", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)
S3_TIME = datetime(2013, 5, 24, tzinfo=UTC)


def signature(headers: list[tuple[str, str]]) -> str:
    """
    The signature in the authorization header.
    """
    return dict(headers)["authorization"].rpartition("Signature=")[2]


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/?%E1%88%B4=bar",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "GET",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        ("GET", "//", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ],
)
def test_the_suite_of_aws(method: str, target: str, expected: str) -> None:
    """
    Requests without more than a host and a date.
    """
    url = Url.parse(f"https://example.amazonaws.com{target}")
    headers = sign(SUITE, method, url=url, headers=(), body=b"", now=SUITE_TIME)

    assert expected == signature(headers)


def test_a_form_of_the_suite() -> None:
    """
    The content type and the body count.
    """
    headers = sign(
        SUITE,
        "POST",
        url=Url.parse("https://example.amazonaws.com/"),
        headers=[("Content-Type", "application/x-www-form-urlencoded")],
        body=b"Param1=value1",
        now=SUITE_TIME,
    )

    assert "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" == signature(headers)


def test_a_token_is_sent_and_signed() -> None:
    """
    Temporary credentials have a token, which the signature covers.
    """
    with_token = attrs.evolve(SUITE, session_token="token")
    headers = dict(
        sign(with_token, "GET", url=Url.parse("https://a.b/"), headers=(), body=b"", now=SUITE_TIME)
    )

    assert "token" == headers["x-amz-security-token"]
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token," in headers["authorization"]


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "expected"),
    [
        (
            "PUT",
            "/test$file.text",
            [
                ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ],
            b"Welcome to Amazon S3.",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            "/test.txt",
            [("Range", "bytes=0-9")],
            b"",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "GET",
            "/?lifecycle",
            [],
            b"",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            "/?max-keys=2&prefix=J",
            [],
            b"",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_the_examples_of_s3(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes, expected: str
) -> None:
    """
    S3 signs the hash of the body, too.
    """
    url = Url.parse(f"https://examplebucket.s3.amazonaws.com{target}")

    assert expected == signature(sign(S3, method, url=url, headers=headers, body=body, now=S3_TIME))
