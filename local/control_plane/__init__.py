"""The control plane of the embedded Kubernetes, created with kwokctl."""
