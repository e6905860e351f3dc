"""`FlexibleBatchSampler`: the chain of experiment, leak, condition and time, by keyword arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batchwright._checks import check_flag, check_fraction, check_weights
from batchwright.sampler import PipelineSampler
from batchwright.stages import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, TemporalEnricher
from batchwright.stages.base import Element

__all__ = ["FlexibleBatchSampler"]

_WHO = "FlexibleBatchSampler"


class FlexibleBatchSampler(PipelineSampler):
    """Experiment-aware, leaky, condition-balanced, time-enriched batches of microscopy metadata.

    A chain of the stages of this library behind the arguments of VisCy's sampler of the same name. It reads the
    columns ``experiment``, ``condition`` and ``hours_post_infection``, each only where its feature is on. The
    epoch stays as it is until `set_epoch`; beginning one a second time logs a warning, once.

    Parameters
    ----------
    valid_anchors
        The metadata table, one row a sample.
    batch_size
        Rows of a batch.
    experiment_aware
        Whether all rows of a batch, but for the leak, come from one experiment.
    leaky
        Part of the batch from other experiments, in [0, 1]; no effect unless `experiment_aware`.
    experiment_weights
        Relative weight of each experiment; by default experiments are chosen in proportion to their rows.
    condition_balanced
        Whether conditions get exact quotas.
    condition_ratio
        Relative quota of each condition; by default all get the same.
    temporal_enrichment
        Whether much of the batch comes from a window of time; it holds together with the balance.
    temporal_window_hours
        Half the width of the window, in hours.
    temporal_global_fraction
        Part of the batch from outside the window.
    num_replicas, rank, seed, drop_last, even_batches, strict
        As for `PipelineSampler`.

    Examples
    --------
    >>> table = {"experiment": ["a"] * 8 + ["b"] * 8, "condition": ["mock", "virus"] * 8}
    >>> sampler = FlexibleBatchSampler(table, batch_size=4, leaky=0.25)
    >>> len(sampler), len(next(iter(sampler)))
    (4, 4)
    """

    def __init__(
        self,
        valid_anchors: Any,
        batch_size: int = 128,
        experiment_aware: bool = True,
        leaky: float = 0.0,
        experiment_weights: Mapping[str, float] | None = None,
        condition_balanced: bool = True,
        condition_ratio: Mapping[str, float] | None = None,
        temporal_enrichment: bool = False,
        temporal_window_hours: float = 2.0,
        temporal_global_fraction: float = 0.3,
        num_replicas: int | None = None,
        rank: int | None = None,
        seed: int = 0,
        drop_last: bool = True,
        even_batches: bool = True,
        strict: bool = False,
    ) -> None:
        for name, fraction in (("leaky", leaky), ("temporal_global_fraction", temporal_global_fraction)):
            check_fraction(fraction, name, _WHO)
        for name, weights in (("experiment_weights", experiment_weights), ("condition_ratio", condition_ratio)):
            if weights is not None:
                check_weights(weights, name, _WHO)
        # All stages are made, also those that stay out of the chain, so that wrong settings are refused either way.
        groups = [ExperimentSelector(by="experiment", weights=experiment_weights), LeakMixer(leaky)]
        balance = ConditionBalancer(by="condition", ratio=condition_ratio)
        window = TemporalEnricher("hours_post_infection", temporal_window_hours, temporal_global_fraction)
        stages: list[Element] = [
            *(groups if check_flag(experiment_aware, "experiment_aware", _WHO) else []),
            *([balance] if check_flag(condition_balanced, "condition_balanced", _WHO) else []),
            *([window] if check_flag(temporal_enrichment, "temporal_enrichment", _WHO) else []),
        ]
        super().__init__(
            valid_anchors,
            [*stages, Drawer()],
            batch_size,
            drop_last=drop_last,
            even_batches=even_batches,
            num_replicas=num_replicas,
            rank=rank,
            seed=seed,
            auto_epoch=False,
            strict=strict,
        )
