"""What can go wrong with embedded servers; every message is written for the person at the terminal."""


class EmbeddedError(Exception):
    """An embedded server can't be started, found or used."""


class AlreadyRunning(EmbeddedError):
    """Another process holds the data folder."""


class NotRunning(EmbeddedError):
    """No process holds the data folder, so there is nothing to connect to."""
