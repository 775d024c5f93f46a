"""A Python that has imported everything already: a server forks itself for each Python program of a live test.

Most of the processor time of a short `pulumi` command is what its Python processes import. In a live test, `python3`
and the stand-ins' scripts are a small client. It hands its arguments, environment, folder and open files to the server,
which forks a process that runs the program as Python would. That process is as new as any other, apart from the modules
that are imported. It ends when its client ends, and the client ends with its exit code.

Without the variable, the client executes the real Python. Tests with the mark `cold` do not have it.
"""

SOCKET_VARIABLE = "TRACEABLE_KONG_TEST_PYTHON"
"""Names the server's socket."""
