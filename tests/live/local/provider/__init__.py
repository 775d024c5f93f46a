"""Conformance of a kubernetes provider plugin with what is documented of the official one.

Runs against the stand-in of `local/provider`, or against the plugin that PULUMI_KUBERNETES_PLUGIN names, so that
anybody who has the official one can see both agree. Every expectation says where it comes from (`expectations.py`).
"""
