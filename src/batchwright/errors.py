"""The exceptions: one base, and one class for each thing that a user can get wrong.

Every message has four beats: the rule, the number that breaks it, who it is about, and the way out.
"""

__all__ = [
    "BatchwrightError",
    "ChainError",
    "ChainFileError",
    "LoaderError",
    "PreflightError",
    "RanksError",
    "SettingError",
    "SettingTypeError",
    "StateError",
    "StorageError",
    "TableError",
]


class BatchwrightError(Exception):
    """Base of everything that batchwright raises on purpose."""


class TableError(BatchwrightError, ValueError):
    """The table cannot be read: a missing column, missing values, no rows."""


class SettingError(BatchwrightError, ValueError):
    """An argument has the right type and a value that cannot work."""


class SettingTypeError(BatchwrightError, TypeError):
    """An argument has the wrong type."""


class PreflightError(SettingError):
    """A strict sampler finds something in its chain and table that it would else only report."""


class ChainError(BatchwrightError, ValueError):
    """The stages do not make a chain: a drawer is missing, or an order cannot work."""


class ChainFileError(BatchwrightError, ValueError):
    """A chain file cannot be read or written: the message names the place in it."""


class LoaderError(BatchwrightError, ValueError):
    """A loader would not deliver the batches of its sampler as planned."""


class RanksError(BatchwrightError, RuntimeError):
    """The ranks of a process group have different samplers, or the same number."""


class StateError(BatchwrightError, ValueError):
    """A saved state was altered, or belongs to another table, chain, seed or version."""


class StorageError(BatchwrightError, ValueError):
    """A saved index cannot be written or opened: missing, altered, foreign, of another version, or already there."""
