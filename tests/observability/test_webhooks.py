"""The signature of a webhook, against the example of its standard."""

from __future__ import annotations

import base64

import pytest

from observability.webhooks import secret_bytes, signature, signed_headers


def test_the_example_of_the_standard() -> None:
    # Standard Webhooks, the reference libraries' own test vector.
    signed = signature(
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        delivery_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_base64_after_its_prefix_and_else_itself() -> None:
    assert secret_bytes("whsec_" + base64.b64encode(b"\0key").decode()) == b"\0key"
    assert secret_bytes("열쇠") == "열쇠".encode()
    with pytest.raises(ValueError, match="not base64"):
        secret_bytes("whsec_***")


def test_id_time_and_body_are_all_signed() -> None:
    def signed(**change: object) -> str:
        values = {"secret": "s", "delivery_id": "i", "timestamp": 1, "body": b"b"}
        return signature(**{**values, **change})  # type: ignore[arg-type]

    others = {
        signed(),
        signed(secret="t"),
        signed(delivery_id="j"),
        signed(timestamp=2),
        signed(body=b"c"),
    }
    assert len(others) == 5
    names = [name for name, _value in signed_headers(
        secret="s", delivery_id="i", timestamp=1, body=b"b"
    )]  # fmt: skip
    assert names[1:] == ["webhook-id", "webhook-timestamp", "webhook-signature"]
