"""The embedded platform: a local Kubernetes with stand-ins for everything that cannot run here. See README.md."""
