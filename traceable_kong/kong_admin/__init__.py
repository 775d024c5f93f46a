"""Kong's Admin API: the ways to it, and the plugin as a row of a Kong with a database.

listener.py is where it listens in a pod, connection.py the way there, client.py what is asked and answered; access.py
where this stack asks and with whose credentials; row.py what is written, editing.py the writing, provider.py the
resource.
"""
