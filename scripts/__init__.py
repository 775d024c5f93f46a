"""What runs beside the program, in a pull request's workflow. It imports nothing of the program."""
