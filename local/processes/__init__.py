"""Processes that the platform starts: in the background, or for as long as their parent runs."""
