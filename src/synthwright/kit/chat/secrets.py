"""Keys of endpoints: read from the environment, shown by nothing, taken out of every text."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Never

from synthwright.core.chat import ModelError

NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
"""How variables that hold keys are called; keys themselves hardly ever look so."""
GONE = "[key]"
"""What stands in a text where a key stood."""
KEY_WORDS = frozenset({"api_key", "apikey", "access_token", "authorization", "bearer", "headers", "password", "secret",
                       "token", "x_api_key"})  # fmt: skip
"""Words under which people write keys, none of which is a parameter."""
_SHORTEST = 8
"""Characters of a key that is taken out of texts: a shorter one would take words with it."""


class Secret:
    """A key. Its value is in no repr, and it cannot be written or sent."""

    __slots__ = ("_found", "_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name, self._value = name, value
        spelled = {value, json.dumps(value)[1:-1]} if len(value) >= _SHORTEST else set()
        self._found = re.compile("|".join(map(re.escape, sorted(spelled))) or "(?!)", re.IGNORECASE)

    @staticmethod
    def of(name: str, owner: str, remedy: str) -> Secret:
        """Return the key that a variable of the environment holds.

        Raises:
            ModelError: there is no such variable, or what it holds cannot be sent.
        """
        value = os.environ.get(name, "").strip()
        if not value:
            raise ModelError(owner, f"the variable {name}", wanted="a key", got="nothing", remedy=remedy)
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ModelError(owner, f"the variable {name}", wanted="a key: ASCII letters, digits and marks",
                             got="text that cannot be one", remedy=remedy)  # fmt: skip
        return Secret(name, value)

    def reveal(self) -> str:
        """Return the key itself: for the header that it goes into, and nothing else."""
        return self._value

    def scrub(self, text: str) -> str:
        """Return a text without the key."""
        return self._found.sub(GONE, text)

    def __repr__(self) -> str:
        return f"Secret({self.name})"

    def __reduce__(self) -> Never:
        raise TypeError("a key is neither written nor sent")


def exposed(said: Any, usual: str) -> str:
    """Return what is wrong with parameters that hold what looks like a key, without repeating it; else an empty text.

    Args:
        said: the parameters, as they were written.
        usual: how the variable is usually called.
    """
    if not isinstance(said, dict):
        return ""
    inside = said["body"] if isinstance(said.get("body"), dict) else {}
    for word in (*said, *inside):
        if str(word).lower().replace("-", "_") in KEY_WORDS:
            return f"{word!r} is no parameter: 'key' names the environment variable that holds the key"
    key = said.get("key")
    if key is None or (isinstance(key, str) and NAME.fullmatch(key)):
        return ""
    return f"'key' names the environment variable that holds the key, in capitals: key: {usual or 'MY_KEY'}"
