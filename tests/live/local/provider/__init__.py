"""Conformance tests of a kubernetes provider plugin: it must behave as documented for the official one.

They run against the stand-in in `local/provider/kubernetes`, or against the plugin that PULUMI_KUBERNETES_PLUGIN names,
so that anyone who has the official plugin can compare both. Every expectation names its source (`expectations.py`).
"""
