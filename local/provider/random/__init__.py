"""A stand-in for Pulumi's `random` provider plugin, for machines where the official one is not available.

It follows the public source of the official plugin (https://github.com/pulumi/pulumi-random, version 4) and of the
Terraform provider in it (https://github.com/hashicorp/terraform-provider-random). Its only resource is
`random:index/randomPassword:RandomPassword`.
"""
