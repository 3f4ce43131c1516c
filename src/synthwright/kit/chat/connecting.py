"""Connections that go only where they may: every address is judged after its name was resolved, and then used.

Imported late, as it needs aiohttp.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from synthwright.core.chat import NobodyThere, NoReply
from synthwright.kit.chat.endpoints import Endpoint, Guard, RefusedAddressError
from synthwright.kit.chat.refusals import MALFORMED, TOO_LONG, About

IDLE = 4.0
"""Seconds that a connection is kept without use: usual servers close theirs after five."""
REMEMBERED = 10
"""Seconds that a resolved name is remembered."""
_CONNECT = 15.0
"""The most seconds that making a connection may take."""


class JudgedResolver(AbstractResolver):
    """Resolves the one name that may be asked, and refuses what leads where no connection may go.

    Args:
        endpoint: what may be asked.
        guard: which addresses may be connected to.
        inner: resolves; nothing: as the machine does.
    """

    def __init__(self, endpoint: Endpoint, guard: Guard, inner: AbstractResolver | None = None) -> None:
        self.endpoint, self.guard = endpoint, guard
        self.inner = inner or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name, all of which may be connected to."""
        if (host, port) != (self.endpoint.host, self.endpoint.port):
            raise RefusedAddressError(f"{host}:{port} is not the host that is named")
        found = await self.inner.resolve(host, port, family)
        for one in found:
            if fault := self.guard.refused(one["host"]):
                raise RefusedAddressError(f"{host} leads to {fault}")
        return found

    async def close(self) -> None:
        """Close the resolver that it asks."""
        await self.inner.close()


def connector(
    endpoint: Endpoint, guard: Guard, limit: int, inner: AbstractResolver | None = None
) -> aiohttp.TCPConnector:
    """Return what makes the connections: at most `limit` at once, each address judged again as its socket is made."""

    def judged(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, (host, *_) = address
        if fault := guard.refused(host):
            raise RefusedAddressError(fault)
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(
        limit=limit, resolver=JudgedResolver(endpoint, guard, inner), socket_factory=judged,
        ttl_dns_cache=REMEMBERED, keepalive_timeout=IDLE,
    )  # fmt: skip


def session(seconds: float, headers: dict[str, str], by: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    """Return a session without cookies, proxies of the environment and passwords from files."""
    limit = aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT))
    return aiohttp.ClientSession(
        connector=by, timeout=limit, headers=headers, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


async def read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body of an answer, of which never more than `most` bytes are held.

    Raises:
        NoReply: there are more; the rest is not read.
    """
    if (answer.content_length or 0) <= most:
        parts: list[bytes] = []
        held = 0
        while held <= most and not answer.content.at_eof():
            parts.append(await answer.content.readany())
            held += len(parts[-1])
        if held <= most:
            return b"".join(parts)
    answer.close()
    raise NoReply(f"{answer.url.origin()} answered more than {most / 1e6:.0f} MB, which were not read", TOO_LONG)


def broken(error: Exception, about: About, *, local: bool) -> NoReply:
    """Return what a failed connection means. Nothing of the error that could hold a header is repeated."""
    url = about.url
    reason = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else None
    if isinstance(reason, RefusedAddressError):
        return NoReply(f"{url} may not be asked: {reason}", fatal=True)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return NoReply(f"{url} has a certificate that is not trusted", fatal=True)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return NoReply(f"{url} does not speak https: is it meant to be http?", again=True)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return NoReply(f"{url}: the name of the host was not found", again=True)
    if isinstance(error, aiohttp.ClientConnectorError):
        kind = NobodyThere if local and isinstance(reason, ConnectionRefusedError) else NoReply
        return kind(f"{url}: nothing answers there{_start(about) if local else ''}", again=True)
    if isinstance(error, asyncio.TimeoutError):
        return NoReply(f"{url} did not answer in time: 'seconds' says how long it may take", again=True)
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | aiohttp.ClientOSError):
        return NoReply(f"{url}: the connection broke", again=True)
    return NoReply(f"{url} does not answer as a web server does ({type(error).__name__})", MALFORMED, again=True)


def _start(about: About) -> str:
    """Return what to do without, and what to start on this machine or to set, in two lines."""
    return ("; --dry-run shows the first prompts without it"
            f"\nStart Ollama: ollama serve, then ollama pull {about.model}  (url: http://localhost:11434/v1)"
            f"\nor vLLM: vllm serve {about.model}  (url: http://localhost:8000/v1)"
            ", or ask OpenAI: export OPENAI_API_KEY=…  ({use: openai, with: {model: gpt-5-mini}})")  # fmt: skip
