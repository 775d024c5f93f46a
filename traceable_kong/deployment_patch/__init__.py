"""This stack's entries in the Deployment of an existing Kong: applied, read back and reverted."""
