"""From what the driver says to the errors of the library, without any value of a row, an address or a secret.

Callers raise the result outside their except block, so that no error carries the driver's context, which quotes
documents (law K3).
"""

from __future__ import annotations

from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    InvalidName,
    OperationFailure,
    PyMongoError,
)

from dossier.errors import (
    CredentialsError,
    ExpiredError,
    LimitError,
    NotAnArchiveError,
    RepositoryError,
    StorageFullError,
    UnreachableError,
    UnsuitableError,
)
from dossier.repository import MAX_BODY

TRANSIENT = "TransientTransactionError"
UNKNOWN_COMMIT = "UnknownTransactionCommitResult"
DUPLICATE = (11000, 11001, 12582)
EXISTS = 48
DENIED = 13
CATALOGUE_CHANGED = (246, 211)
"""A snapshot, or the key for its time, is not to be had yet: at once after a collection or an index was made."""
_NOT_THERE = (26, 73)
_REFUSED = (DENIED, 18, 8000)
_EXPIRED = (239,)
_FULL = (14031,)
_LARGE = (10334, 17419, 17420, 388, 257, 17280)
_STANDALONE = (20, 263)
_LATE = (50, 262)


def fault(error: PyMongoError) -> RepositoryError:
    """The error of the library for an error of the driver."""
    if isinstance(error, OperationFailure):
        code = error.code
        if code in _REFUSED:
            return CredentialsError()
        if code in _FULL:
            return StorageFullError()
        if code in _LARGE:
            return LimitError(what="bytes of a document or batch", limit=MAX_BODY)
        if code in _EXPIRED:
            return ExpiredError()
        if code in _STANDALONE:
            return no_replica_set()
        if code in _NOT_THERE:
            return NotAnArchiveError()
        if code in _LATE or error.timeout:
            return UnreachableError()
        return RepositoryError()
    if isinstance(error, DocumentTooLarge):
        return LimitError(what="bytes of a document or batch", limit=MAX_BODY)
    if isinstance(error, ConfigurationError | InvalidName):
        return CredentialsError() if "authentication" in type(error).__name__.lower() else RepositoryError()
    if isinstance(error, ConnectionFailure) or error.timeout:
        return UnreachableError()
    return RepositoryError()


def no_replica_set() -> UnsuitableError:
    """What a server that stands alone is answered with."""
    return UnsuitableError(
        what="it stands alone, without a replica set, and has no transactions",
        remedy="start it as a replica set, of one member at least: mongod --replSet rs0, "
        "then once rs.initiate() in mongosh",
    )


def is_again(error: PyMongoError) -> bool:
    """Whether nothing was kept of the transaction and it may simply be run again."""
    return error.has_error_label(TRANSIENT) or (isinstance(error, OperationFailure) and error.code in CATALOGUE_CHANGED)
