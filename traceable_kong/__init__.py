"""Traceable on Kong: `from traceable_kong import TraceableOnKong` in a Pulumi program."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traceable_kong.program.arguments import TraceableOnKongArgs as TraceableOnKongArgs
    from traceable_kong.program.traceable_on_kong import TraceableOnKong as TraceableOnKong

__all__ = ["TraceableOnKong", "TraceableOnKongArgs"]


def __getattr__(name: str) -> Any:
    # The verification, which needs no Pulumi, must not import it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from traceable_kong.program import arguments, traceable_on_kong

    return getattr(traceable_on_kong if name == "TraceableOnKong" else arguments, name)
