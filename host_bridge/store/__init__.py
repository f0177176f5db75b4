"""The store: facts, dead letters, spans of received numbers, the ledger, the register of tags.

The one way in is `Store.open(url)`. Nothing outside this package speaks to the database.
"""

from host_bridge.store.backup import back_up, restore
from host_bridge.store.engine import bring_to, form_of
from host_bridge.store.errors import (
    BatchRefusedError,
    RegistryError,
    SchemaError,
    StoreError,
    StoreUnavailableError,
    TransferError,
)
from host_bridge.store.groups import DayFigures
from host_bridge.store.leases import Lease, Leases
from host_bridge.store.plan import PlannedDesk
from host_bridge.store.rebuilding import rebuild, sample
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
    UnitNow,
    WorkerRow,
)
from host_bridge.store.registry import Registry
from host_bridge.store.retention import Amount, Cut, Retention, Run
from host_bridge.store.room_hours import Room
from host_bridge.store.settling import Settled
from host_bridge.store.store import Store
from host_bridge.store.told import Difference
from host_bridge.store.transfer import Progress, move

__all__ = [
    "Amount",
    "Batch",
    "BatchRefusedError",
    "Cut",
    "DayFigures",
    "DeadLetter",
    "Difference",
    "Gap",
    "IncidentRecord",
    "Incoming",
    "Key",
    "Lease",
    "Leases",
    "LedgerRow",
    "Outcome",
    "PlannedDesk",
    "Progress",
    "Registry",
    "RegistryError",
    "Retention",
    "Room",
    "Run",
    "SchemaError",
    "Settled",
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
    "TransferError",
    "UnitMode",
    "UnitNow",
    "WorkerRow",
    "back_up",
    "bring_to",
    "form_of",
    "move",
    "rebuild",
    "restore",
    "sample",
]
