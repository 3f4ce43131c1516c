"""How fast an endpoint is asked: as many requests at once as it takes, no more a minute than it may be asked.

The limit grows while answers come as quickly as before, and is halved where the endpoint says that it is asked too
much, or where answers take twice as long (additive increase, multiplicative decrease, as networks do it: Chiu and
Jain, 1989); where fewer requests then bring fewer answers, that was a mistake, and is taken back. An endpoint that
fails again and again is left alone for a while and then asked one single thing.
"""

from __future__ import annotations

import os
from asyncio import AbstractEventLoop, CancelledError, Future, TimerHandle, get_running_loop
from collections import deque
from typing import NamedTuple

from synthwright.core.chat import NobodyThere, NoReply

_FIRST = 8
"""Requests at once before anything is known."""
_STEPS = 16
"""In how many steps the limit grows from nothing to the most, once it was too high."""
_WINDOW = 8
"""The fewest answers whose time is a measure."""
_SLOWER, _FLOOR = 2.0, 0.05
"""Answers that take so many times as long, and at least these seconds longer, are a sign of too many requests…"""
_COSTS = 0.8
"""…unless fewer requests at once let fewer than this share of the answers come: then they are only longer."""
_BURST = 0.05
"""Seconds whose requests may go at once: timers of an operating system are no finer."""
_TINY = 1e-9
NEVER = float("-inf")


class Patience(NamedTuple):
    """How long failures are borne. Times are in seconds."""

    failures: int = 10
    """After how many in a row the endpoint is left alone, and then asked one thing at a time."""
    pause: float = 1.0
    """How long at first; each time twice as long."""
    longest: float = 30.0
    """The longest pause."""
    unheard: float = 30.0
    """After how long of nothing but failures the run stops, where no answer ever came."""
    lasting: float = 180.0
    """The same where answers came before."""
    absent: float = 4.0
    """The same where none ever came, and nothing listens there on this machine."""

    def wait(self, times: int) -> float:
        """Return a pause that doubles each time, of which the operating system draws the second half."""
        return min(self.pause * 2.0 ** min(times, 30), self.longest) * (0.5 + 0.5 * os.urandom(1)[0] / 255)


class Bucket:
    """A rate: so many a minute. What goes may be more than is left; the next one then waits until it is made up for."""

    def __init__(self, per_minute: float, *, least: float) -> None:
        self._rate, self._least = per_minute / 60, least
        self._most = self._level = max(least, self._rate * _BURST)
        self._at = NEVER

    def ready(self, now: float) -> float:
        """Return when the next one may go."""
        self._fill(now)
        short = self._least - self._level
        return now if short <= _TINY else now + short / self._rate

    def take(self, many: float, now: float) -> None:
        """Let so many go; fewer than nothing are given back."""
        self._fill(now)
        self._level = min(self._level - many, self._most)

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._level = min(self._most, self._level + (now - self._at) * self._rate)
            self._at = now


class _Window(NamedTuple):
    """What was measured over some answers: how long one took, and how many came in a second."""

    seconds: float
    rate: float
    limit: float
    """How many were asked at once at its end."""


class Gate:
    """Lets requests to one endpoint through, one after another.

    Args:
        most: the most requests at once.
        requests: the most in a minute; nothing: no limit.
        tokens: the most tokens in a minute; nothing: no limit.
    """

    def __init__(self, most: int, requests: float | None, tokens: float | None, patience: Patience) -> None:
        self.most, self.limit, self.active = most, float(min(_FIRST, most)), 0
        self.failures = 0
        """Failures since the last answer."""
        self.heard = False
        """Whether an answer ever came."""
        self._patience = patience
        self._requests = None if requests is None else Bucket(requests, least=1.0)
        self._tokens = None if tokens is None else Bucket(tokens, least=0.0)
        self._waiting: deque[tuple[Future[None], float]] = deque()
        self._timer: TimerHandle | None = None
        self._closed = False
        self._since = self._until = self._cut = self._left_alone = NEVER
        self._rounds = self._pauses = 0  # how often it was busy, and left alone, since the last answer
        self._young = True  # never too much yet: the limit doubles
        self._usual: _Window | None = None  # when answers were quickest
        self._before: _Window | None = None  # when the limit was last halved for slow answers
        self._count, self._seconds, self._began, self._wanted = 0, 0.0, 0.0, _WINDOW

    async def enter(self, tokens: float) -> None:
        """Wait until a request of about so many tokens may go; who enters must `leave` in one way or another."""
        loop = get_running_loop()
        now = loop.time()
        if self._closed or (not self._waiting and self._free(now)):
            self._take(tokens, now)
            return
        turn: Future[None] = loop.create_future()
        self._waiting.append((turn, tokens))
        self._arm(loop)
        try:
            await turn
        except CancelledError:
            if turn.done() and not turn.cancelled():  # its turn came, and it is gone
                self.leave()
            raise

    def leave(self) -> None:
        """Let the next one in; nothing was learned."""
        self.active -= 1
        self._wake()

    def answered(self, seconds: float, tokens: float) -> None:
        """Take in an answer: how long it took, and how many tokens more than expected it used."""
        now = get_running_loop().time()
        if self._tokens is not None:
            self._tokens.take(tokens, now)
        self.heard, self.failures, self._rounds, self._pauses, self._since = True, 0, 0, 0, NEVER
        self._measure(seconds, now)
        self.leave()

    def failed(self, sent: float, no: NoReply) -> None:
        """Take in that a request, sent at that time, was not answered."""
        now = get_running_loop().time()
        self.failures += 1
        self._since = now if self._since == NEVER else self._since
        if no.busy and sent >= self._cut:  # what was sent before the limit fell says nothing of the new one
            self._halve(now)
            pause = self._patience.wait(self._rounds) if no.after is None else no.after
            self._until = max(self._until, now + pause)
            self._rounds += 1
        if self.failures >= self._patience.failures and sent >= self._left_alone:
            self._left_alone = now + self._patience.wait(self._pauses)
            self._until = max(self._until, self._left_alone)
            self._pauses += 1
        self.leave()

    def down(self, no: NoReply) -> float | None:
        """Return for how many seconds there were nothing but failures, the last `no`; None where that is borne."""
        lasted = get_running_loop().time() - self._since
        unheard = self._patience.absent if isinstance(no, NobodyThere) else self._patience.unheard
        borne = self._patience.lasting if self.heard else min(unheard, self._patience.unheard)
        return lasted if self.failures >= self._patience.failures and lasted >= borne else None

    def close(self) -> None:
        """Let everybody in who waits: the run is over, and each will see it."""
        self._closed = True
        self._wake()

    def _free(self, now: float) -> bool:
        if self._closed:
            return True
        if self.active >= (1 if self.failures >= self._patience.failures else int(self.limit)):
            return False
        return self._when(now) <= now

    def _when(self, now: float) -> float:
        """Return when the clock lets the next one in."""
        when = max(now, self._until)
        if self._requests is not None:
            when = max(when, self._requests.ready(now))
        if self._tokens is not None:
            when = max(when, self._tokens.ready(now))
        return when

    def _take(self, tokens: float, now: float) -> None:
        self.active += 1
        if self._requests is not None:
            self._requests.take(1, now)
        if self._tokens is not None:
            self._tokens.take(tokens, now)

    def _wake(self) -> None:
        """Let in whoever may go."""
        if not self._waiting:
            return
        loop = get_running_loop()
        now = loop.time()
        while self._waiting and self._free(now):
            turn, tokens = self._waiting.popleft()
            if not turn.done():  # else it gave up
                self._take(tokens, now)
                turn.set_result(None)
        self._arm(loop)

    def _arm(self, loop: AbstractEventLoop) -> None:
        """See to it that the one at the front is woken when it is the clock that holds it up."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = loop.time()
        if self._waiting and (when := self._when(now)) > now:
            self._timer = loop.call_at(when, self._wake)

    def _halve(self, now: float) -> None:
        self.limit = max(1.0, self.limit / 2)
        self._young, self._cut, self._before = False, now, None
        self._begin(now)

    def _begin(self, now: float) -> None:
        """Begin a new measurement, of as many answers as are under way."""
        self._count, self._seconds, self._began = 0, 0.0, now
        self._wanted = max(_WINDOW, self.active)

    def _measure(self, seconds: float, now: float) -> None:
        """Let the limit grow or fall, by how long answers take where it is the limit that holds requests up."""
        old = now - seconds < self._cut  # it was sent when more were
        if old or (not self._waiting and self.active < int(self.limit)):
            self._begin(now)
            return
        if self.limit < self.most:
            step = 1.0 if self._young else max(1.0, self.most / _STEPS) / self.limit
            self.limit = min(self.limit + step, float(self.most))
        self._count, self._seconds = self._count + 1, self._seconds + seconds
        if self._count >= self._wanted:
            found = _Window(self._seconds / self._count, self._count / max(now - self._began, _TINY), self.limit)
            self._begin(now)
            self._judge(found, now)

    def _judge(self, found: _Window, now: float) -> None:
        """Ask for fewer where answers take long; take it back where it had cost answers, and nothing was gained."""
        before, self._before = self._before, None
        usual = self._usual = self._usual or found
        if before is not None and found.rate < before.rate * _COSTS:
            self.limit = max(self.limit, before.limit)
            self._usual = before
        elif found.seconds > max(usual.seconds * _SLOWER, usual.seconds + _FLOOR):
            self._halve(now)
            self._before = found
        elif found.seconds < usual.seconds:
            self._usual = found
