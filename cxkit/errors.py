"""Named errors. A message says what was found, what is valid and where to mend it."""


class CxkitError(Exception):
    """Base of all errors that cxkit raises on purpose; the program prints its message, never a traceback."""

    exit_code = 1


class UsageError(CxkitError):
    """The command, the settings (client.yml) or a parameter is wrong; nothing was started."""

    exit_code = 2


class DataError(CxkitError):
    """The client's data did not pass its checks, or is older than expected."""

    exit_code = 3


class RunError(CxkitError):
    """A notebook failed, or the report could not be written."""

    exit_code = 1
