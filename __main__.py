"""The program: what the stack's config describes, as one component (traceable_kong/program)."""

import pulumi

from traceable_kong.common.quick_exit import skip_last_collection
from traceable_kong.program.traceable_on_kong import TraceableOnKong


async def main() -> dict[str, object]:
    return await TraceableOnKong("traceable").stack_outputs()


skip_last_collection()
pulumi.run(main)
