"""The sampler under the name by which VisCy's users import it."""

from batchwright.flexible import FlexibleBatchSampler

__all__ = ["FlexibleBatchSampler"]
