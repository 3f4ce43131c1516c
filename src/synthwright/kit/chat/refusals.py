"""What an endpoint means that answers with a status instead of an answer: whether to ask again, when, or never."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from synthwright.core.chat import NoReply

MALFORMED, REFUSED, TOO_LONG = "reply-malformed", "reply-refused", "reply-too-long"
"""Reason codes beside `no-reply`."""
_SHOWN = 300
"""Characters of the endpoint's own message that are repeated."""
_WAIT = 3600.0
"""The most seconds to wait that an endpoint is believed."""
_AGAIN = frozenset({408, 409, 425, 429})
_BUSY = frozenset({429, 503, 529})
_NO_SUCH_PATH = frozenset({404, 405, 410, 501})
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?")
_FILTERED = frozenset({"content_filter", "content_policy_violation"})
_NO_CREDIT = re.compile(r"insufficient_quota|billing_hard_limit|credit balance is too low", re.IGNORECASE)
_NO_KEY = re.compile(r"API_KEY_INVALID|API key not valid", re.IGNORECASE)
_OLLAMA = 11434


class About(NamedTuple):
    """Who was asked, for messages."""

    url: str
    model: str
    key: str | None = None
    """The variable that holds the key."""

    @property
    def ollama(self) -> bool:
        """Whether the address is where Ollama listens."""
        return urlsplit(self.url).port == _OLLAMA


def refusal(status: int, headers: Mapping[str, str], body: bytes, about: About) -> NoReply:
    """Return what an answer with this status means; the body has been relieved of the key."""
    said = message(body)
    told = f": {said}" if said else ""
    where = f"{about.url} answered {status}"
    if 300 <= status < 400:
        return NoReply(_redirected(headers, about), fatal=True)
    if status in (401, 403) or (status == HTTPStatus.BAD_REQUEST and _NO_KEY.search(said)):
        named = f"the key in {about.key} was refused" if about.key else "it wants a key: say 'key: NAME_OF_VARIABLE'"
        return NoReply(f"{where}, {named}{told}", fatal=True)
    if status == HTTPStatus.PAYMENT_REQUIRED or _NO_CREDIT.search(_codes(body) + said):
        return NoReply(f"{where}, there is no credit left{told}", fatal=True)
    if status in _NO_SUCH_PATH:
        return NoReply(_missing(where, said, about), fatal=True)
    again = status in _AGAIN or status >= 500
    if again:
        return NoReply(f"{where}{told}", again=True, after=wait(headers, body), busy=status in _BUSY)
    if _FILTERED & set(_codes(body).split()):
        return NoReply(f"{where}, its filter withheld the answer{told}", REFUSED)
    hint = "; 'structured: object', or 'none', asks without a schema" if "response_format" in said else ""
    return NoReply(f"{where}, it does not take the request{told}{hint}")


def malformed(what: str, about: About) -> NoReply:
    """Return that an endpoint answered something that is no answer."""
    return NoReply(f"{about.url} answered {what}", MALFORMED, again=True)


def wait(headers: Mapping[str, str], body: bytes = b"") -> float | None:
    """Return the seconds that an endpoint asks to wait: in a header (seconds, or a date), or in its message."""
    if _SECONDS.fullmatch(said := headers.get("retry-after-ms", "").strip()):
        return min(float(said) / 1000, _WAIT)
    said = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(said):
        return min(float(said), _WAIT)
    if said:
        try:
            then = parsedate_to_datetime(said)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return min(max((then - datetime.now(UTC)).total_seconds(), 0.0), _WAIT)
    found = re.search(rb'"retryDelay"\s*:\s*"(\d{1,6}(?:\.\d{1,9})?)s"', body)
    return min(float(found[1]), _WAIT) if found else None


def message(body: bytes) -> str:
    """Return an endpoint's own message about a fault, short, on one line; markup is left out."""
    found = _parsed(body)
    text = _text(found) if found is not None else body[:4000].decode(errors="replace")
    if text.lstrip().startswith("<"):
        text = re.sub(r"(?is)<(script|style).*?</\1>|<[^>]*>?", " ", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _redirected(headers: Mapping[str, str], about: About) -> str:
    """Return where an endpoint sends us instead: its host and no more, as the rest may hold what was asked."""
    try:
        to = urlsplit(headers.get("Location", ""))
        other = f"{to.scheme}://{to.hostname}" + (f":{to.port}" if to.port else "") if to.hostname else "another path"
    except ValueError:
        other = "another place"
    return f"{about.url} redirects to {other}, which is not followed: say the address that is meant as 'url'"


def _missing(where: str, said: str, about: About) -> str:
    """Return what a 404 means: there is no such model, or no such path."""
    told = f": {said}" if said else ""
    if "model" not in said.lower():
        path = urlsplit(about.url).path
        hint = "" if re.search(r"/v\d", path) else "; most urls end in /v1"
        return f"{where}, there is no such path: look at 'url'{hint}{told}"
    pull = f": ollama pull {about.model}" if about.ollama or "pull" in said else ""
    return f"{where}, it has no model {about.model!r}{pull}{told}"


def _parsed(body: bytes) -> Any:
    """Return JSON as data; nothing where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _text(found: Any) -> str:
    """Return what an error object says: `error.message`, `error`, `message` or `detail`, as servers have it."""
    found = found[0] if isinstance(found, list) and found else found
    if isinstance(found, str):
        return found
    if not isinstance(found, dict):
        return ""
    for word in ("error", "message", "detail"):
        if found.get(word):
            inner = found[word]
            return _text(inner) if isinstance(inner, dict) else inner if isinstance(inner, str) else json.dumps(inner)
    return ""


def _codes(body: bytes) -> str:
    """Return the codes and types of an error object, between spaces."""
    found = _parsed(body)
    found = found[0] if isinstance(found, list) and found else found
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict):
        return ""
    inner = error.get("innererror")
    words = [error.get("code"), error.get("type"), error.get("status")]
    words += [inner.get("code")] if isinstance(inner, dict) else []
    return " ".join(str(w) for w in words if w) + " "
