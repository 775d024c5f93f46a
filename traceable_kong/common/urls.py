"""Addresses that the stack's config or a kubeconfig names: which may be used, and how one is shown. Pure."""

import re
from urllib.parse import urlsplit


def unsafe_address(url: str, *, what: str, schemes: tuple[str, ...] = ("https",)) -> str | None:
    """What is wrong with an address to which something is sent, or from which something comes; None where nothing is.

    `what` is what an attacker on the network path could do. A password in an address is seen by everyone who may read
    the stack file, and by servers on the way that write a log.
    """
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return "is not an address that a connection could be made to"
    # As it is written: whatever uses it compares it like this.
    if not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        return f"is not {' or '.join(schemes)}: anybody on the way could {what}"
    if "@" in parts.netloc:
        return "has a user or a password in its address, which everybody sees who may read the stack file"
    if not whole or not url.isprintable() or " " in url:
        return "is not an address that a connection could be made to"
    return None


def without_credentials(url: str) -> str:
    """A URL without the user and the password that may be in it, also where they have a slash."""
    return re.sub(r"//.*@", "//", url, flags=re.DOTALL)
