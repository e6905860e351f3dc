"""Chains as files: YAML or JSON that names stages and their settings, and nothing else."""

from batchwright.chainfile.document import dump_chain, load_chain
from batchwright.chainfile.registry import register_stage

__all__ = ["dump_chain", "load_chain", "register_stage"]
