"""Only what a specification names is asked; private addresses, however they are spelled, need its word."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from synthwright.core.chat import NoReply, Request
from synthwright.kit.chat import connecting
from synthwright.kit.chat.endpoints import Endpoint, Guard, RefusedAddressError, private
from synthwright.kit.chat.http_chat import HttpChat
from synthwright.providers.openai import OpenAI
from synthwright.testing.chat_server import ChatServer

PRIVATE = ["127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
           "0.0.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
           "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "ff0e::1",
           "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
           "2002:7f00:1::1", "2001:0:5ef5:79fd:0:59d:80ff:fffe"]  # fmt: skip
"""This machine, this network, link-local, multicast, metadata; IPv4 in every IPv6 wrapping (the last: Teredo)."""
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
SPELLINGS = ["http://127.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://017700000001/",
             "http://127.1/", "http://0/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
             "http://localhost/", "http://LOCALHOST:80/", "http://localhost./", "http://a.localhost/",
             "http://127.0.0.1./", "http://169.254.169.254/latest", "http://[fd00:ec2::254]/"]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    """Addresses of this machine and its networks are private, however they are wrapped."""
    assert private(ip_address(address))
    assert Guard(allow_private=False).refused(address)
    assert not Guard(allow_private=True).refused(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    """Public addresses may be connected to, but not with a key that travels in clear."""
    assert not private(ip_address(address))
    assert not Guard(allow_private=False).refused(address)
    assert "in clear" in Guard(allow_private=True, bare_key=True).refused(address)


@pytest.mark.parametrize("url", SPELLINGS)
def test_spellings_of_private_hosts(url: str) -> None:
    """A private host is known by every spelling, and the fault says what to do."""
    endpoint = Endpoint.of(url)
    assert endpoint.local
    assert "'allow_private: true'" in Guard(allow_private=False).fault(endpoint)
    assert not Guard(allow_private=True).fault(endpoint)


def test_numbers_become_the_usual_spelling() -> None:
    """The address that was judged is the one that is asked."""
    assert str(Endpoint.of("http://2130706433:8000/v1/")) == "http://127.0.0.1:8000/v1"
    assert str(Endpoint.of("HTTPS://API.Example.com.:443/v1")) == "https://api.example.com/v1"
    assert str(Endpoint.of("http://[0:0::1]:11434/v1")) == "http://[::1]:11434/v1"


@pytest.mark.parametrize("url", [
    "ftp://example.com/", "file:///etc/passwd", "example.com/v1", "//example.com/", "http://", "http:///v1",
    "http://user:hunter2@example.com/", "http://hunter2@example.com/", "https://example.com/v1?key=hunter2",
    "https://example.com/v1#hunter2", "https://example.com/?", "http://exa mple.com/", "http://example.com\\@10.0.0.1/",
    "http://example.com:99999/", "http://example.com:0/", "http://example.com:x/", "http://1.2.3.4.5/", "http://999.1/",
    "http://[fe80::1%25eth0]/", "http://[::1/", "http://ⓛocalhost/", "http://127。0。0。1/", "http://%31%32%37.1/",
    "http://ex\nample.com/", "http://-.com/", "http://a..b/", "https://example.com/\x00", "http://0x/", "",
])  # fmt: skip
def test_what_is_no_endpoint(url: str) -> None:
    """What is no plain address of a server is refused, and never repeated: it may hold a password."""
    with pytest.raises(ValueError, match=r"^wanted a url") as caught:
        Endpoint.of(url)
    assert "hunter2" not in str(caught.value)


def test_a_key_does_not_travel_in_clear() -> None:
    """Plain http with a key is for private addresses only; without a key it may be public."""
    with_key = Guard(allow_private=False, bare_key=True)
    assert "say https" in with_key.fault(Endpoint.of("http://example.com/"))
    assert "say https" in with_key.fault(Endpoint.of("http://8.8.8.8/"))
    inside = Guard(allow_private=True, bare_key=True)
    assert "say https" in inside.fault(Endpoint.of("http://8.8.8.8/"))
    assert not inside.fault(Endpoint.of("http://gpu.example.com/"))  # what it resolves to decides
    assert inside.refused("8.8.8.8")
    assert not inside.refused("10.0.0.7")
    assert not Guard(allow_private=False).fault(Endpoint.of("http://example.com/"))


class Names(AbstractResolver):
    """Answers each question with the next address: a name whose owner changes his mind."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the next address."""
        now = self.answers.pop(0)
        kind = socket.AF_INET6 if ":" in now else socket.AF_INET
        return [ResolveResult(hostname=host, host=now, port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        """Close nothing."""


def asked(provider: OpenAI, resolver: Names, times: int = 1) -> list[NoReply | str]:
    """Return what came of asking a few times, one after another."""

    async def work() -> list[NoReply | str]:
        chat = HttpChat(provider, None, resolver)
        found: list[NoReply | str] = []
        for _ in range(times):
            try:
                found.append((await chat.reply(Request.of("Hello"))).text)
            except NoReply as problem:
                found.append(problem)
        await chat.close()
        return found

    return asyncio.run(work())


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    """What a name resolves to is judged, not how it is spelled; no connection is made."""
    with ChatServer() as server:
        told = asked(OpenAI(model="m", url=f"http://inside.example:{server.port}/v1"), Names(address))
    assert isinstance(told[0], NoReply)
    assert told[0].fatal
    assert "allow_private" in told[0].why
    assert address in told[0].why
    assert server.total == 0


def test_a_name_that_leads_inside_may_be_allowed() -> None:
    """With the specification's word, the same name is asked."""
    with ChatServer() as server:
        provider = OpenAI(model="m", url=f"http://inside.example:{server.port}/v1", allow_private=True)
        assert asked(provider, Names("127.0.0.1")) == ["Answer to: Hello"]


def test_no_rebinding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is looked at and private afterwards leads nowhere: what was judged is used."""
    tried: list[str] = []

    def nowhere(address: tuple[Any, ...]) -> None:
        tried.append(address[4][0])
        raise ConnectionRefusedError

    real = aiohttp.TCPConnector

    def watched(*, socket_factory: Any, ttl_dns_cache: int, **more: Any) -> Any:
        def made(address: tuple[Any, ...]) -> Any:
            socket_factory(address).close()
            return nowhere(address)

        return real(socket_factory=made, ttl_dns_cache=0, **more)

    monkeypatch.setattr(aiohttp, "TCPConnector", watched)
    with ChatServer() as server:
        provider = OpenAI(model="m", url=f"http://turning.example:{server.port}/v1")
        first, second = asked(provider, Names("8.8.8.8", "127.0.0.1"), 2)
    assert isinstance(first, NoReply)
    assert isinstance(second, NoReply)
    assert (first.again, first.fatal) == (True, False)
    assert (second.again, second.fatal) == (False, True)
    assert tried == ["8.8.8.8"]
    assert server.total == 0


@pytest.mark.parametrize("found", [["10.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["2606:4700::1", "::1"]])
def test_names_are_judged_by_every_address(found: list[str]) -> None:
    """A name that leads inside by one of its addresses is not resolved at all."""

    class Many(Names):
        async def resolve(self, *args: Any, **more: Any) -> list[ResolveResult]:
            return [(await super(Many, self).resolve(*args, **more))[0] for _ in found]

    async def work() -> None:
        guard = Guard(allow_private=False)
        resolver = connecting.JudgedResolver(Endpoint.of("https://one.example/v1"), guard, Many(*found))
        with pytest.raises(RefusedAddressError, match="is a private address"):
            await resolver.resolve("one.example", 443)

    asyncio.run(work())


def test_the_socket_is_judged_too() -> None:
    """An address that needs no resolver is judged where the socket is made."""

    async def work() -> None:
        endpoint = Endpoint.of("http://127.0.0.1:9/v1")
        by = connecting.connector(endpoint, Guard(allow_private=False), 1)
        made: Any = by._socket_factory  # noqa: SLF001  the last thing before a connection
        with pytest.raises(RefusedAddressError):
            made((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9)))
        await by.close()

    asyncio.run(work())


def test_another_host_is_not_resolved() -> None:
    """The connections of an endpoint lead to its host and port, and to no other."""

    async def work() -> None:
        resolver = connecting.JudgedResolver(
            Endpoint.of("https://one.example/v1"), Guard(allow_private=True), Names("8.8.8.8", "8.8.8.8")
        )
        assert (await resolver.resolve("one.example", 443))[0]["host"] == "8.8.8.8"
        for host, port in (("other.example", 443), ("one.example", 8443)):
            with pytest.raises(RefusedAddressError):
                await resolver.resolve(host, port)

    asyncio.run(work())


def test_localhost_is_asked_by_name() -> None:
    """The usual way to write a server of one's own works, whichever address of it listens."""
    with ChatServer() as server:
        provider = OpenAI(model="m", url=f"http://localhost:{server.port}/v1", allow_private=True)

        async def work() -> str:
            chat = provider.connect()
            said = await chat.reply(Request.of("Hello"))
            await chat.close()
            return said.text

        assert asyncio.run(work()) == "Answer to: Hello"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says of proxies does not send questions elsewhere."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with ChatServer() as server:
        provider = OpenAI(model="m", url=f"http://name.example:{server.port}/v1", allow_private=True)
        assert asked(provider, Names("127.0.0.1")) == ["Answer to: Hello"]
