"""Our part in a Deployment that somebody else installed: what it is, how it gets in, and how it goes without a trace.

template.py edits a pod template (pure), editing.py does it in a cluster and awaits the rollout, provider.py lets
the engine do it, notes what was done and takes it back.
"""
