"""batchwright: which rows of a dataset stand together in each training batch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from batchwright.draft import Choice, Draft
from batchwright.errors import (
    BatchwrightError,
    ChainError,
    ChainFileError,
    LoaderError,
    PreflightError,
    RanksError,
    SettingError,
    SettingTypeError,
    StateError,
    StorageError,
    TableError,
)
from batchwright.expectation import Expectation
from batchwright.finding import Finding
from batchwright.groups import Groups
from batchwright.index import MetadataIndex
from batchwright.options import Options
from batchwright.pipeline import Pipeline
from batchwright.plan import Plan
from batchwright.pool import Pool
from batchwright.pools import Pools
from batchwright.rowvalues import RowValues
from batchwright.share import Share
from batchwright.stack import DraftStack
from batchwright.stages import (
    BaseDrawer,
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    Stage,
    TemporalEnricher,
)

if TYPE_CHECKING:
    from batchwright.flexible import FlexibleBatchSampler
    from batchwright.sampler import PipelineSampler

__version__ = "0.1.0"

__all__ = [
    "BaseDrawer",
    "BatchwrightError",
    "ChainError",
    "ChainFileError",
    "Choice",
    "ConditionBalancer",
    "Draft",
    "DraftStack",
    "Drawer",
    "Expectation",
    "ExperimentSelector",
    "Finding",
    "FlexibleBatchSampler",
    "Groups",
    "LeakMixer",
    "LoaderError",
    "MetadataIndex",
    "Options",
    "Pipeline",
    "PipelineSampler",
    "Plan",
    "Pool",
    "Pools",
    "PreflightError",
    "RanksError",
    "RowValues",
    "SettingError",
    "SettingTypeError",
    "Share",
    "Stage",
    "StateError",
    "StorageError",
    "TableError",
    "TemporalEnricher",
]

# The samplers are loaded on first use: they import torch, which takes a second that a chain does not need.
_LAZY = {"PipelineSampler": "batchwright.sampler", "FlexibleBatchSampler": "batchwright.flexible"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
