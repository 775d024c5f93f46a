"""Runs a program of PostgreSQL as an unprivileged user, for as long as its parent runs.

Usage: `python unprivileged_process.py PARENT_PID PROGRAM ARGUMENT...`. PostgreSQL refuses to run as root. If root
starts this script, it becomes an unprivileged user but keeps one capability: access to files in any folder
(CAP_DAC_OVERRIDE, as an ambient capability; https://man7.org/linux/man-pages/man7/capabilities.7.html), so that a clone
in a private folder works. This is a script because it must run between fork and exec, where threads make Python code in
the parent unsafe.
"""

import ctypes
import os
import signal
import sys

USER = 65534
"""`nobody` on most systems. The user does not have to exist."""

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CAP_DAC_OVERRIDE = 1
_VERSION_3 = 0x20080522


def become_ordinary() -> None:
    """Gives up root. Raises OSError if the system does not allow it."""
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
    """Gives up root if necessary, binds itself to its parent, and executes the program."""
    parent, program, *arguments = sys.argv[1:]
    if os.geteuid() == 0:
        try:
            become_ordinary()
        except OSError as problem:
            sys.exit(
                "PostgreSQL does not run as root, and this system does not allow root to become another user "
                f"({problem}). Run the platform as a user other than root."
            )
    if sys.platform == "linux":
        # After the change of user, which resets this setting. SIGQUIT makes PostgreSQL end its own processes at once.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
        if os.getppid() != int(parent):
            sys.exit(1)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main()
