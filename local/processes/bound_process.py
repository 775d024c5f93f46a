"""Runs a program for as long as its parent runs: `python bound_process.py PARENT_PID PROGRAM ARGUMENT...`.

On Linux it uses `prctl(PR_SET_PDEATHSIG)` (https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html). On
other systems it only starts the program. This is a script because it must run between fork and exec, where gRPC's
threads make Python code in the parent unsafe.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Requests the signal, checks that the parent still runs, and executes the program."""
    parent, program, *arguments = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):
            sys.exit(1)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main()
