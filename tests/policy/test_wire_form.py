"""What the engine sends, as plain data; the signatures are those of Pulumi's SDK."""

from pulumi.runtime import rpc

from policy.rules.registered_resource import Hidden
from policy.rules.wire_form import SECRET_SIGNATURE, SIGNATURE, UNKNOWNS, plain


def test_the_signatures_are_those_of_the_sdk() -> None:
    assert (rpc._special_sig_key, rpc._special_secret_sig) == (SIGNATURE, SECRET_SIGNATURE)
    assert rpc.UNKNOWN in UNKNOWNS


def test_secrets_unknown_values_and_files_are_hidden() -> None:
    secret = {SIGNATURE: SECRET_SIGNATURE, "value": {"password": "planted"}}
    file = {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "path": "a"}
    found = plain({"a": [secret, "text", 1, None], "b": {"c": rpc.UNKNOWN}, "d": file})
    hidden, *rest = found["a"]
    assert isinstance(hidden, Hidden) and hidden.what == "a secret"
    assert rest == ["text", 1, None]
    assert found["b"]["c"].what == "a value that is not known yet" and found["d"].what == "a file"
    assert "planted" not in repr(found)
