"""A stand-in for Pulumi's `kubernetes` provider plugin, for machines where the official one is not available.

It follows the documented behavior and the public source of the official plugin
(https://github.com/pulumi/pulumi-kubernetes, version 4). It knows nothing about the programs that use it.
"""
