"""Reports: what batches hold, in numbers, figures and a page."""

from batchwright.report.audit import Audit, audit

__all__ = ["Audit", "audit"]
