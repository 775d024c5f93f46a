"""Runs a program of PostgreSQL as an unprivileged user, for as long as its parent runs.

Usage: `python unprivileged_process.py PARENT_PID PROGRAM ARGUMENT...`.

PostgreSQL does not run as root. Where root starts it, this becomes an ordinary user first, who keeps one of root's
rights: to reach files whatever folder they are in (CAP_DAC_OVERRIDE, as an ambient capability;
https://man7.org/linux/man-pages/man7/capabilities.7.html). So a clone that only its owner can enter will do. A file of
its own because all this has to be done between fork and exec, where threads make Python code unsafe.
"""

import ctypes
import os
import signal
import sys

USER = 65534
"""`nobody`, nearly everywhere; a user needs no name for this."""

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CAP_DAC_OVERRIDE = 1
_VERSION_3 = 0x20080522


def become_ordinary() -> None:
    """Gives up being root; OSError where this system does not let us."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    # Effective, permitted and inheritable, each in two halves.
    sets = (ctypes.c_uint32 * 6)(*[1 << _CAP_DAC_OVERRIDE] * 3)
    if libc.capset(header, sets) == 0:
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def main() -> None:
    """Becomes an ordinary user where need be, asks to end with its parent, and becomes the program."""
    parent, program, *arguments = sys.argv[1:]
    if os.geteuid() == 0:
        try:
            become_ordinary()
        except OSError as problem:
            sys.exit(
                "PostgreSQL does not run as root, and root may not become another user here "
                f"({problem}): run the platform as an ordinary user."
            )
    if sys.platform == "linux":
        # After the change of user, which takes such a wish back. SIGQUIT: it ends at once, and its processes with it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
        if os.getppid() != int(parent):
            sys.exit(1)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main()
