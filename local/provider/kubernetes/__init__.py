"""A stand-in for Pulumi's `kubernetes` provider plugin, for machines where the official one cannot be had.

It follows the documented behaviour and the public source of the official plugin
(https://github.com/pulumi/pulumi-kubernetes, version 4) and knows nothing of the programs that use it.
"""
