"""Which addresses may be asked: the one host and port that a specification names, private ones only on its word.

A name is judged by what it resolves to, where the connection is made: what was checked is what is connected to.
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_PATH = re.compile(r"[A-Za-z0-9._~/%:@+-]*")
_NUMBER = re.compile(r"\d+|0[xX][0-9A-Fa-f]*")
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
"""Networks whose last 32 bits are an IPv4 address."""
_METADATA = frozenset({IPv4Address("168.63.129.16")})
"""Addresses that are public by number, and serve the machine's own secrets in a data centre."""
_PORTS = {"http": 80, "https": 443}


class Endpoint(NamedTuple):
    """A server that may be asked, as a specification names it."""

    scheme: str
    host: str
    """A name in lower case, or an address in its one usual spelling."""
    port: int
    path: str
    """What every path begins with; without a slash at its end."""

    @staticmethod
    def of(url: str) -> Endpoint:
        """Return the server that a URL names.

        Raises:
            ValueError: it names none; the message never repeats it, as it may hold a password.
        """
        if any(not "!" <= c <= "~" or c in '\\"<>^`{|}' for c in url):
            raise ValueError("wanted a url of plain ASCII letters, without spaces (other scripts: as xn--…)")
        try:
            found = urlsplit(url)
            port = found.port
        except ValueError:
            raise ValueError("wanted a url with a host, and a port from 1 to 65535") from None
        if found.scheme not in _PORTS or not found.netloc:
            raise ValueError("wanted a url that begins with http:// or https://")
        if "@" in found.netloc:
            raise ValueError("wanted a url without a user or password: 'key' names the variable that holds the key")
        if found.query or found.fragment or url.endswith(("?", "#")):
            raise ValueError("wanted a url without '?' and '#': 'key' names the variable that holds the key")
        if not _PATH.fullmatch(found.path):
            raise ValueError("wanted a url whose path is letters, digits and '/'")
        if port == 0:
            raise ValueError("wanted a url with a host, and a port from 1 to 65535")
        host, port = _host(found.hostname or ""), port or _PORTS[found.scheme]
        return Endpoint(found.scheme, host, port, found.path.rstrip("/"))

    def __str__(self) -> str:
        return self.origin + self.path

    @property
    def origin(self) -> str:
        """Scheme, host and port, as a URL begins; the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def local(self) -> bool | None:
        """Whether it is private by its spelling: an address, or localhost; nothing: a name, which must be resolved."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        if ":" in self.host or _NUMBER.fullmatch(self.host.rpartition(".")[2]):
            return private(ip_address(self.host))
        return None


class Guard(NamedTuple):
    """Which addresses of an endpoint may be connected to."""

    allow_private: bool
    """Whether private ones may."""
    bare_key: bool = False
    """Whether a key goes over plain http: then public ones may not."""

    def fault(self, endpoint: Endpoint) -> str:
        """Return why an endpoint may not be asked, as far as its spelling tells; an empty text: it may."""
        local = endpoint.local
        if local and not self.allow_private:
            return f"{endpoint.origin} is a private address: say 'allow_private: true' if it is meant"
        if self.bare_key and local is False:
            return f"the key would travel in clear to {endpoint.origin}: say https"
        if self.bare_key and not self.allow_private:
            return (f"the key would travel in clear to {endpoint.origin}: say https, "
                    "or 'allow_private: true' for a server of your own network")  # fmt: skip
        return ""

    def refused(self, address: str) -> str:
        """Return why an address may not be connected to; an empty text: it may."""
        inside = private(ip_address(address.partition("%")[0]))
        if inside and not self.allow_private:
            return f"{address} is a private address, and 'allow_private: true' is not said"
        if self.bare_key and not inside:
            return f"{address} is a public address, and the key would travel there in clear: say https"
        return ""


class RefusedAddressError(OSError):
    """A name led to an address that may not be connected to."""


def private(address: Address) -> bool:
    """Return whether an address is no public one: this machine, this network, link-local, multicast, metadata.

    An IPv6 address that stands for an IPv4 one is judged by that one.
    """
    if isinstance(address, IPv6Address):
        within = _within(address)
        if within is not None:
            return private(within)
        if address.is_site_local:
            return True
    return not address.is_global or address.is_multicast or address.is_reserved or address in _METADATA


def _within(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for, if it stands for one."""
    if address.ipv4_mapped is not None or address.sixtofour is not None:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _host(said: str) -> str:
    """Return a host in its one usual spelling: 2130706433, 0x7f.1 and 127.0.0.1 are the same address."""
    host = said.lower().rstrip(".")
    try:
        if ":" in host and "%" not in host:
            return str(ip_address(host))
        if _NAME.fullmatch(host) and ".." not in host:
            numeric = _NUMBER.fullmatch(host.rpartition(".")[2])
            return str(IPv4Address(socket.inet_aton(host))) if numeric else host
    except (ValueError, OSError):
        pass
    raise ValueError("wanted a url with the name or the address of a host")
