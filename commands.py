"""Commands that messages tell a person to run: whatever is in them, they do what they say when they are pasted."""

import re
import shlex


def config_set(key: str, value: str) -> str:
    """Sets a key of the stack's config, such as `kong.release`; with `--path` where it is inside an object."""
    # Behind `--` nothing is an option.
    end = "-- " if value.startswith("-") else ""
    return f"pulumi config set{_option(key)} {end}{_argument(key)} {shlex.quote(value)}"


def config_set_secret(key: str) -> str:
    """Sets a key to a secret, for which the command asks."""
    return f"pulumi config set --secret{_option(key)} {_argument(key)}"


def config_remove(key: str) -> str:
    """Takes a key out."""
    return f"pulumi config rm{_option(key)} {_argument(key)}"


def _option(key: str) -> str:
    return " --path" if "." in key or "[" in key else ""


def _argument(key: str) -> str:
    name = f"traceable-kong:{key}"
    return name if re.fullmatch(r"[-_.:A-Za-z0-9]+", name) else shlex.quote(name)
