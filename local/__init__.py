"""The embedded platform: a Kubernetes on this machine with stand-ins for what cannot be had on it. See README.md."""
