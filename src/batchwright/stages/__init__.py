"""The stages that come with the library, one file each."""

from batchwright.stages.base import BaseDrawer, Stage
from batchwright.stages.condition_balancer import ConditionBalancer
from batchwright.stages.drawer import Drawer
from batchwright.stages.experiment_selector import ExperimentSelector
from batchwright.stages.leak_mixer import LeakMixer
from batchwright.stages.temporal_enricher import TemporalEnricher

__all__ = [
    "BaseDrawer",
    "ConditionBalancer",
    "Drawer",
    "ExperimentSelector",
    "LeakMixer",
    "Stage",
    "TemporalEnricher",
]
