"""Strict addresses and the table of networks."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.addresses import (
    AddressError,
    first_refusal,
    parse_address,
    policy_of,
)
from connectors.apps import check_internal_networks


@pytest.mark.parametrize(
    ("text", "origin", "path"),
    [
        ("https://api.example.com", ("https", "api.example.com", 443), ""),
        ("HTTP://API.Example.com:8080/v1", ("http", "api.example.com", 8080), "/v1"),
        ("http://[::1]:9/x", ("http", "[::1]", 9), "/x"),
        ("http://192.0.2.1/x", ("http", "192.0.2.1", 80), "/x"),
        ("https://날씨.한국/", ("https", "xn--i20bj30b.xn--3e0b707e", 443), "/"),
    ],
)
def test_a_plain_address_is_read(
    text: str, origin: tuple[str, str, int], path: str
) -> None:
    address = parse_address(text)

    assert address.origin == origin
    assert address.path == path


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("ftp://x", "address-scheme"),
        ("file:///etc/passwd", "address-scheme"),
        ("//x", "address-scheme"),
        ("", "address-scheme"),
        ("http://", "address-scheme"),
        ("http://a b", "address-characters"),
        ("http://a\\b", "address-characters"),
        ("http://a\r\nX: y", "address-characters"),
        ("http://a\x00", "address-characters"),
        ("http://x/é", "address-characters"),
        ("http://u@x", "address-user"),
        ("http://u:p@x", "address-user"),
        ("http://x#y", "address-fragment"),
        ("http://x#", "address-fragment"),
        ("http://x:0", "address-port"),
        ("http://x:99999", "address-port"),
        ("http://x:", "address-host"),
        ("http://x:a", "address-host"),
        ("http://[::1", "address-host"),
        ("http://[1.2.3.4]", "address-host"),
        ("http://[fe80::1%25x]", "address-host"),
        ("http://::1/", "address-host"),
        ("http://a_b", "address-host"),
        ("http://-a", "address-host"),
        ("http://a.", "address-host"),
        ("http://a..b", "address-host"),
        ("http://a%00b", "address-host"),
        ("http://127.1", "address-host"),
        ("http://1", "address-host"),
        ("http://x.0x7f", "address-host"),
        ("http://01.2.3.4", "address-host"),
        ("http://１.2.3.4", "address-host"),
        ("http://a。b", "address-host"),
        ("http://" + "a" * 300, "address-host"),
    ],
)
def test_anything_odd_is_refused(text: str, rule: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(text)

    assert caught.value.rule == rule


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address("http://" + text)
    except AddressError:
        return
    assert address.host.isascii()
    assert 1 <= address.port <= 65_535


@pytest.mark.parametrize(
    "public",
    ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "64:ff9b::8.8.8.8",
     "::ffff:8.8.8.8"],
)  # fmt: skip
def test_public_addresses_need_no_list(public: str) -> None:
    assert policy_of(()).refusal(ip_address(public), 443) == ""


@pytest.mark.parametrize(
    "inner",
    ["10.1.2.3", "127.0.0.1", "::1", "fd00::1", "::ffff:127.0.0.1", "2002:a00:1::",
     "64:ff9b::a00:1", "64:ff9b:1::1", "2001:db8::1", "::", "ff02::1", "fec0::1",
     "3fff::1", "2001::1", "240.0.0.1", "0.0.0.0"],
)  # fmt: skip
def test_inner_addresses_are_refused_unless_listed(inner: str) -> None:
    assert policy_of(()).refusal(ip_address(inner), 443) == "address-inner"


@pytest.mark.parametrize(
    "never",
    ["169.254.169.254", "169.254.170.2", "fe80::1", "fd00:ec2::254",
     "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::",
     "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd20:ce::254"],
)  # fmt: skip
def test_metadata_addresses_are_never_reachable(never: str) -> None:
    everything = policy_of(("0.0.0.0/0:*", "[::]/0:*"))

    assert everything.refusal(ip_address(never), 80) == "address-metadata"


def test_the_list_names_networks_with_ports() -> None:
    policy = policy_of(("127.0.0.1:8901", "10.0.0.0/8:443", "[::1]:*", "[fd00::]/8:80"))

    def allowed(address: str, port: int) -> bool:
        return policy.refusal(ip_address(address), port) == ""

    assert allowed("127.0.0.1", 8901)
    assert allowed("::ffff:127.0.0.1", 8901)
    assert not allowed("127.0.0.1", 8902)
    assert not allowed("127.0.0.2", 8901)
    assert allowed("10.9.9.9", 443)
    assert allowed("::1", 5)
    assert allowed("fd00::5", 80)
    assert first_refusal(policy, ["10.0.0.1", "10.0.0.2"], 443) == ""
    assert first_refusal(policy, ["not an address"], 443) == "address-host"


@pytest.mark.parametrize(
    "text",
    ["10.0.0.0/8", "10.0.0.1/8:443", "x:80", "10.0.0.1:0", "10.0.0.1:99999", "::1:80",
     "[::1]", "", "10.0.0.1:²"],
)  # fmt: skip
def test_a_list_that_cannot_be_read_stops_the_start(
    text: str, settings: object
) -> None:
    settings.SIGNALBOX_INTERNAL_NETWORKS = [text]  # type: ignore[attr-defined]

    with pytest.raises(AddressError):
        policy_of((text,))
    assert [fault.id for fault in check_internal_networks(None)] == ["connectors.E001"]


def test_a_good_list_passes_the_check(settings: object) -> None:
    settings.SIGNALBOX_INTERNAL_NETWORKS = ["10.0.0.0/8:*"]  # type: ignore[attr-defined]

    assert check_internal_networks(None) == []
