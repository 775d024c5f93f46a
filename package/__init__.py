"""The component package: what the engine starts for programs in other languages."""
