"""A stand-in for Pulumi's `random` provider plugin, for machines where the official one cannot be had.

It follows the public source of the official plugin (https://github.com/pulumi/pulumi-random, version 4) and of the
Terraform provider that it wraps (https://github.com/hashicorp/terraform-provider-random). Leaves out every resource
but `random:index/randomPassword:RandomPassword`.
"""
