"""A simulated Kong 3.9 node: its Admin API and its probes, from its configuration, files and entities.

No traffic is proxied and no plugin is executed. The listeners are in local.kubelet.
"""
