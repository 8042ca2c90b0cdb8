"""Which addresses may be called: strict parse, and a table of networks.

Inner networks are reachable only where ``SIGNALBOX_INTERNAL_NETWORKS`` lists them with
a port; metadata services never are. ``ipaddress.is_global`` is not used: it lets
wrapped and special ranges through, and differs between Python releases.

Sources: the IANA registries of special-purpose IPv4 and IPv6 addresses; RFC 6890.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias
from urllib.parse import urlsplit

import idna

IpAddress: TypeAlias = IPv4Address | IPv6Address
IpNetwork: TypeAlias = IPv4Network | IPv6Network

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(
    r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
)
_NUMERIC_END = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_BAD_CHARACTERS = re.compile(r"[\x00-\x20\x7f\\]")

_NEVER = tuple(
    ip_network(network)
    for network in (
        "169.254.0.0/16",  # link local, with the metadata services of most clouds
        "100.100.100.200/32",  # Alibaba
        "192.0.0.192/32",  # Oracle
        "168.63.129.16/32",  # Azure
        "fe80::/10",
        "fd00:ec2::/32",  # AWS
        "fd20:ce::254/128",  # Google
    )
)
_INNER_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_INNER_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, with Teredo and ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressError(ValueError):
    """An address or a network that is not written as it must be.

    Attributes:
        rule: Rule id whose words are in ``connectors.messages``.
    """

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed HTTP address without user, fragment, or anything odd.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Lower-case name in ASCII, dotted quad, or IPv6 address in brackets.
        port: Always given.
        path: As written, percent-encoded; empty or beginning with a slash.
        query: As written, without the question mark.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    query: str = field(default="", repr=False)  # may hold an API key

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)

    @property
    def literal(self) -> IpAddress | None:
        """The IP address, when the host is one."""
        try:
            return ip_address(self.host.strip("[]"))
        except ValueError:
            return None


def parse_address(text: str) -> Address:
    """Read an HTTP address strictly.

    Raises:
        AddressError: ``address-characters``, ``address-scheme``, ``address-user``,
            ``address-fragment``, ``address-host`` or ``address-port``.
    """
    if _BAD_CHARACTERS.search(text):
        raise AddressError("address-characters")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise AddressError("address-host") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc:
        raise AddressError("address-scheme")
    if "@" in parts.netloc:
        raise AddressError("address-user")
    if "#" in text:
        raise AddressError("address-fragment")
    host, port = _host_and_port(parts.netloc)
    if not (parts.path + parts.query).isascii():
        raise AddressError("address-characters")
    return Address(
        scheme=parts.scheme,
        host=host,
        port=_DEFAULT_PORTS[parts.scheme] if port is None else port,
        path=parts.path,
        query=parts.query,
    )


def _host_and_port(netloc: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?", netloc)
    if match is None:
        raise AddressError("address-host")
    host, digits = match.groups()
    port = None if digits is None else int(digits)
    if port is not None and not 1 <= port <= 65_535:
        raise AddressError("address-port")
    return _strict_host(host), port


def _strict_host(host: str) -> str:
    if host.startswith("["):
        try:
            literal = IPv6Address(host[1:-1])
        except ValueError as error:
            raise AddressError("address-host") from error
        if literal.scope_id is not None:
            raise AddressError("address-host")
        return f"[{literal.compressed}]"
    host = _ascii_name(host)
    if not _HOST.fullmatch(host) or len(host) > 253:
        raise AddressError("address-host")
    if _NUMERIC_END.fullmatch(host.rsplit(".", 1)[-1]):
        # Whatever ends in a number is an IPv4 address to some resolver, and only the
        # plain dotted quad means the same to all of them.
        try:
            return str(IPv4Address(host))
        except ValueError as error:
            raise AddressError("address-host") from error
    return host


def _ascii_name(host: str) -> str:
    if host.isascii():
        return host.lower()
    try:
        # Strict IDNA 2008: full-width digits and ideographic dots are no letters.
        labels = [idna.alabel(label).decode() for label in host.lower().split(".")]
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressError("address-host") from error
    return ".".join(labels)


@dataclass(frozen=True, slots=True)
class Policy:
    """Inner networks that may be reached, each with one port or any (None)."""

    allowed: tuple[tuple[IpNetwork, int | None], ...] = ()

    def lists(self, address: IpAddress, port: int) -> bool:
        """Say whether the allow-list names this address and port."""
        address = unwrapped(address)
        return any(
            network.version == address.version
            and address in network
            and only in {None, port}
            for network, only in self.allowed
        )

    def refusal(self, address: IpAddress, port: int) -> str:
        """Return the rule that forbids to connect, or an empty text.

        The rules are ``address-metadata`` and ``address-inner``.
        """
        inside = unwrapped(address)
        if any(one in network for one in _layers(address) for network in _NEVER):
            return "address-metadata"
        if is_public(inside) or self.lists(inside, port):
            return ""
        return "address-inner"


@lru_cache(maxsize=64)
def policy_of(networks: tuple[str, ...]) -> Policy:
    """Read an allow-list, such as ``("127.0.0.1:8901", "10.0.0.0/8:443", "[::1]:*")``.

    Raises:
        AddressError: ``network`` when an entry is not a network with a port.
    """
    return Policy(tuple(_allowed(text) for text in networks))


def _allowed(text: str) -> tuple[IpNetwork, int | None]:
    network, _, port = text.strip().rpartition(":")
    if not (port == "*" or (port.isdecimal() and 1 <= int(port) <= 65_535)):
        raise AddressError("network")
    bracketed = re.fullmatch(r"\[([^\[\]]*)\](/[0-9]+)?", network)
    if bracketed:
        network = bracketed[1] + (bracketed[2] or "")
    elif ":" in network:
        raise AddressError("network")
    try:
        return ip_network(network), None if port == "*" else int(port)
    except ValueError as error:
        raise AddressError("network") from error


def unwrapped(address: IpAddress) -> IpAddress:
    """Return the IPv4 address that an IPv6 address carries to, or the address."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _layers(address: IpAddress) -> list[IpAddress]:
    """Return an address and every address that it wraps, in any of the known ways."""
    layers = [address, unwrapped(address)]
    if isinstance(address, IPv6Address):
        layers += [address.sixtofour] if address.sixtofour else []
        layers += address.teredo or ()
    return layers


def is_public(address: IpAddress) -> bool:
    """Say whether an unwrapped address is plain unicast of the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _INNER_V4)
    return address in _GLOBAL_V6 and not any(address in net for net in _INNER_V6)


def first_refusal(policy: Policy, addresses: Iterable[str], port: int) -> str:
    """Return the first rule that forbids one of `addresses`, or an empty text."""
    for text in addresses:
        try:
            rule = policy.refusal(ip_address(text), port)
        except ValueError:
            return "address-host"
        if rule:
            return rule
    return ""
