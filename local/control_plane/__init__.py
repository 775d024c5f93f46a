"""The Kubernetes control plane of the platform."""
