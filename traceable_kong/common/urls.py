"""Which URLs in the stack config and in a kubeconfig are safe to use, and how a URL is shown."""

import ipaddress
import re
from urllib.parse import urlsplit


def unsafe_address(url: str, *, what: str, schemes: tuple[str, ...] = ("https",)) -> str | None:
    """What is wrong with a URL that something is sent to or downloaded from; None for a safe one.

    `what` is what an attacker on the network path could do. Everyone who can read the stack file sees a password in a
    URL, and servers on the path may log it.
    """
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return "is not a usable URL"
    # As written: a client compares it like this.
    if not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        return f"is not {' or '.join(schemes)}: an attacker on the network path could {what}"
    if "@" in parts.netloc:
        return "has a user or a password in it, and everyone who can read the stack file would see it"
    if not whole or not url.isprintable() or " " in url:
        return "is not a usable URL"
    return None


def is_host(text: str) -> bool:
    """True for a host name or an address, without scheme, port and path."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,251}[A-Za-z0-9])?", text)) and ".." not in text
    return True


def is_own_host(host: str) -> bool:
    """True for a host that names the machine or the pod itself."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(".localhost")
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def without_credentials(url: str) -> str:
    """A URL without the user and the password that may be in it, also where they have a slash."""
    return re.sub(r"//.*@", "//", url, flags=re.DOTALL)
