"""RandomPassword: validation, defaults, generation, and the changes that replace the password.

Based on internal/provider/resource_password.go and internal/random/string.go of the Terraform provider. No side effects
except random numbers.
"""

import secrets
import string
from collections.abc import Mapping
from typing import Any

import bcrypt

from local.provider.property_values import UNKNOWN, Secret, plain

TYPE = "random:index/randomPassword:RandomPassword"

ID = "none"
"""The id of every RandomPassword."""

SPECIAL = "!@#$%&*()-_=+[]{}<>:?"

MINIMA = ("minUpper", "minLower", "minNumeric", "minSpecial")
GROUPS = ("special", "upper", "lower", "number", "numeric")
INPUTS = (*GROUPS, *MINIMA, "length", "keepers", "overrideSpecial")

_HASHED_BYTES = 72
_HASH_ROUNDS = 10
"""The default of golang.org/x/crypto/bcrypt."""

_META = {"__meta": '{"schema_version":"3"}'}


def failures(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Returns `{property: problem}`. Unknown values are accepted."""
    found: dict[str, str] = {}
    length = inputs.get("length")
    known = {name: inputs.get(name) or 0 for name in MINIMA if inputs.get(name) is not UNKNOWN}
    if length is None:
        found["length"] = "Missing required property 'length'"
    elif isinstance(length, int) and length < 1:
        found["length"] = f"Attribute length value must be at least 1, got: {length}"
    elif isinstance(length, int) and length < sum(known.values()):
        summed = " + ".join(("min_upper", "min_lower", "min_numeric", "min_special"))
        found["length"] = f"Attribute length value must be at least sum of {summed}, got: {length}"
    for digits in ("number", "numeric"):
        given = [inputs.get(name) for name in (digits, "special", "upper", "lower")]
        if all(value is False for value in given):
            found[digits] = "At least one attribute out of [special,upper,lower] must be specified as true"
    if {inputs.get("number"), inputs.get("numeric")} == {True, False}:
        found["number"] = "Number and numeric are both configured with different values"
    return found


def planned(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the inputs with defaults."""
    given = {name: inputs[name] for name in INPUTS if inputs.get(name) is not None}
    digits = given.get("numeric", given.get("number", True))
    defaults = {**dict.fromkeys(GROUPS, True), **dict.fromkeys(MINIMA, 0), "number": digits, "numeric": digits}
    return {**defaults, **given}


def created(inputs: Mapping[str, Any], *, preview: bool) -> dict[str, Any]:
    """Returns the outputs of a new password, which is unknown in a preview. Raises ValueError."""
    plan = planned(inputs)
    if preview:
        return {**plan, "result": Secret(UNKNOWN), "bcryptHash": Secret(UNKNOWN)}
    return {**_META, "id": ID, **plan, **_outputs(_made(plain(plan)))}


def imported(password: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns outputs and inputs of an existing password."""
    inputs = planned({"length": len(password.encode())})
    return {**_META, "id": ID, **inputs, **_outputs(password)}, inputs


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, bool]:
    """Returns `{property: does it replace the password}` for the differences between the outputs and the new inputs."""
    before, after = planned(plain(old)), planned(plain(new))
    found: dict[str, bool] = {}
    for name in INPUTS:
        was, wanted = before.get(name), after.get(name)
        if was == wanted:
            continue
        if name == "overrideSpecial":
            found[name] = wanted is not UNKNOWN and not (wanted is None and was == "")
        elif name == "keepers":
            # An empty map is the same as no map.
            found[name] = bool(was) or bool(wanted)
        else:
            found[name] = True
    return found


def updated(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the outputs after a change that does not replace the password."""
    kept = {name: value for name, value in old.items() if name not in INPUTS}
    return {**kept, **planned(new)}


def _outputs(password: str) -> dict[str, Any]:
    hashed = bcrypt.hashpw(password.encode()[:_HASHED_BYTES], bcrypt.gensalt(_HASH_ROUNDS, prefix=b"2a"))
    return {"result": Secret(password), "bcryptHash": Secret(hashed.decode())}


def _made(plan: Mapping[str, Any]) -> str:
    special = plan.get("overrideSpecial") or SPECIAL
    alphabets = {
        "upper": string.ascii_uppercase,
        "lower": string.ascii_lowercase,
        "numeric": string.digits,
        "special": special,
    }
    everything = "".join(alphabet for name, alphabet in alphabets.items() if plan[name])
    if not everything:
        raise ValueError("the character set specified is empty")
    # A group's minimum applies even if the group is off.
    chosen = [
        secrets.choice(alphabet) for name, alphabet in alphabets.items() for _ in range(plan[f"min{name.capitalize()}"])
    ]
    chosen += [secrets.choice(everything) for _ in range(plan["length"] - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)
