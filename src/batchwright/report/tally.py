"""`Tally`: how many rows of each label stand in each batch, and how that compares with a plan."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.report.moments import Moments

__all__ = ["Tally"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# What sums and variances may be off by in floating-point numbers, for each row of a batch.
_ROUNDING = 1e-9


@attrs.frozen(eq=False)
class Tally:
    """Counts of the labels of one column in some batches; only labels that stand in a batch have an entry there.

    Parameters
    ----------
    owners, codes, counts
        int64, shape (K,) each: batch, number of the label, rows of it in that batch. Sorted by batch.
    sizes
        int64, shape (n,): rows of each batch.
    labels
        Number of labels.
    """

    owners: Integers
    codes: Integers
    counts: Integers
    sizes: Integers
    labels: int

    @classmethod
    def of(cls, codes: NDArray[np.unsignedinteger], owners: Integers, sizes: Integers, labels: int) -> Tally:
        """Count the rows of batches, given the label and the batch of each."""
        keys, counts = np.unique(owners * labels + codes, return_counts=True)
        batch, label = np.divmod(keys, labels)
        return cls(batch, label, counts, sizes, labels)

    @property
    def totals(self) -> Integers:
        """Rows of each label in all batches: int64, shape (labels,)."""
        return np.bincount(self.codes, self.counts, self.labels).astype(np.int64)

    @property
    def labels_held(self) -> Integers:
        """How many labels each batch holds: int64, shape (n,)."""
        return np.bincount(self.owners, minlength=self.sizes.size)

    def expected(self, moments: Mapping[int, Moments]) -> Floats:
        """Return the mean of the expected rows of each label over all batches, by the moments for each batch size."""
        sizes, often = np.unique(self.sizes, return_counts=True)
        means = np.stack([moments[size].mean for size in sizes.tolist()])
        return np.asarray(often @ means / self.sizes.size)

    def z_scores(self, moments: Mapping[int, Moments]) -> Floats:
        """Return by how many standard errors the mean rows of each label differ from the expected ones.

        Batches of a plan are independent, so the variance of a sum is the sum of variances. Where nothing can vary,
        the score is 0 or infinite. Where the plan does not tell all of the variance it is that of the batches at hand,
        or what the plan tells if that is more, and of a single batch the score is missing.
        """
        n, tolerance = self.sizes.size, _ROUNDING * self.sizes.max()
        deviation = self.totals / n - self.expected(moments)
        variance = self._variance(moments)
        constant = variance <= tolerance
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = deviation / np.sqrt(np.where(constant, 0, variance) / n)
        return np.where(constant & (np.abs(deviation) <= tolerance), 0.0, scores)

    def _variance(self, moments: Mapping[int, Moments]) -> Floats:
        """Return the mean over all batches of the variance of the rows of each label."""
        sizes, often = np.unique(self.sizes, return_counts=True)
        here = [moments[size] for size in sizes.tolist()]
        known = np.asarray(often @ np.stack([each.variance for each in here]) / self.sizes.size)
        return known if all(each.exact for each in here) else np.maximum(known, self._seen(moments))

    def _seen(self, moments: Mapping[int, Moments]) -> Floats:
        """Return the sample variance of what batches hold beyond the expected; at least that of whole numbers.

        A count whose mean has the fractional part f varies at least by f * (1 - f), also where no batch shows it.
        """
        n = self.sizes.size
        if n == 1:
            return np.full(self.labels, np.nan)
        sums, squares, least = (np.zeros(self.labels) for _ in range(3))
        for size in np.unique(self.sizes).tolist():
            mean, here = moments[size].mean, self.sizes == size
            mine = here[self.owners]
            codes, counts, often = self.codes[mine], self.counts[mine], np.count_nonzero(here)
            total = np.bincount(codes, counts, self.labels)
            sums += total - often * mean
            squares += np.bincount(codes, counts**2, self.labels) - 2 * total * mean + often * mean**2
            least += often / n * (mean % 1) * (1 - mean % 1)
        return np.maximum((squares - sums**2 / n) / (n - 1), least)
