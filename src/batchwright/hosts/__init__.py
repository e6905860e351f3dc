"""At home in trainers: one file a host, each of which imports its framework when it is imported itself."""

from batchwright.hosts.loaders import check, find_sampler

__all__ = ["check", "find_sampler"]
