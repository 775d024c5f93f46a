"""A simulated Kong 3.9 node: what its Admin API and its probes answer, from settings, files and configuration. Pure.

Leaves out traffic: nothing is proxied, no plugin is ever run. Who calls it, and where it listens, is in local.kubelet.
"""
