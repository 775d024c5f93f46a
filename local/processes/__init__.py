"""Processes that the platform starts: in the background, or bound to the life of their parent."""
