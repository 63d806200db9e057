"""Errors that a person can mend. Everything else is a bug and keeps its traceback."""


class TrainError(Exception):
    """A user's mistake: one line that names the input and the mend. The command prints it and exits with 2."""
