"""`python -m aiopslab …` is the program itself, with the arguments that follow."""

from __future__ import annotations

import os
import subprocess
import sys

from .errors import NoServer
from .server import find_binary


def main() -> None:
    """Becomes the program; on Windows, runs it."""
    try:
        command = [str(find_binary()), *sys.argv[1:]]
    except NoServer as error:
        sys.exit(f"error: {error}")
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
