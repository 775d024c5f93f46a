"""The TME's port, for everybody who asks it, keeps it free, or says it. Leaves out the addresses made with it."""

TME_PORT = 5442
"""Where a TME listens in the gateway's own pod, and the agent on its REST port (traceable-agent chart 1.58.0)."""
