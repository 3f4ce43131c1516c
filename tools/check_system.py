"""Say, right after installing, what the machine itself lacks: the one thing that Python packages cannot bring."""

from __future__ import annotations

import sys


def main() -> int:
    """Try what needs a system library; print how to get it where it is missing."""
    try:
        import lightgbm  # noqa: F401  loading it is the test
    except OSError as error:
        if "libgomp" not in str(error):
            raise
        print(
            "LightGBM needs the system library libgomp.so.1, which this machine lacks.\n"
            "Install it and run make again:  apt-get install libgomp1   (Debian, Ubuntu)\n"
            "                                dnf install libgomp        (Fedora, Red Hat)\n"
            "                                apk add libgomp            (Alpine)",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
