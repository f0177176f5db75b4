"""The store: facts, dead letters, spans of received numbers, the ledger, the register of tags.

The one way in is `Store.open(url)`. Nothing outside this package speaks to the database.
"""

from host_bridge.store.errors import RegistryError, SchemaError, StoreError, StoreUnavailableError
from host_bridge.store.records import (
    Batch,
    DeadLetter,
    Gap,
    IncidentRecord,
    Incoming,
    Key,
    LedgerRow,
    Outcome,
    StoredDeadLetter,
    StoredFact,
    Stream,
    Sure,
    TagKind,
    TagRecord,
    TagStatus,
    UnitMode,
    WorkerRow,
)
from host_bridge.store.registry import Registry
from host_bridge.store.store import Store

__all__ = [
    "Batch",
    "DeadLetter",
    "Gap",
    "IncidentRecord",
    "Incoming",
    "Key",
    "LedgerRow",
    "Outcome",
    "Registry",
    "RegistryError",
    "SchemaError",
    "Store",
    "StoreError",
    "StoreUnavailableError",
    "StoredDeadLetter",
    "StoredFact",
    "Stream",
    "Sure",
    "TagKind",
    "TagRecord",
    "TagStatus",
    "UnitMode",
    "WorkerRow",
]
