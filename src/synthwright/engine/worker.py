"""A worker process: reads one JSON line of work at a time, writes one JSON line back.

Nothing but JSON passes between processes (data travels through the store), so nothing that arrives can run code.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback

from synthwright.core.errors import SynthwrightError
from synthwright.engine.work import call

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Answer lines until the standard input ends, which it does when the parent goes away."""
    if sys.platform == "linux":  # a worker whose parent is killed stops at once instead of finishing its shard
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not stand between the answers
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = {"answer": call(order["work"], order["item"])}
        except SynthwrightError as error:
            answer = {"problem": error.to_json()}
        except Exception as error:  # noqa: BLE001  whatever fails in a worker is told to the parent, which raises it
            where = traceback.extract_tb(error.__traceback__)[-1]
            got = f"{type(error).__name__} at {os.path.basename(where.filename)}:{where.lineno} ({where.name})"  # noqa: PTH119
            answer = {"problem": {"error": "WorkerError", "owner": order["work"], "thing": "a worker", "wanted": "",
                                  "got": got, "remedy": "run with --workers 1 to see more"}}  # fmt: skip
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
