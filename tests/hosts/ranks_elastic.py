"""Run by torchrun, once a phase: go on from the phase before in every way, train some rounds, and leave the place."""

import sys
from itertools import islice
from pathlib import Path

import torch.distributed
from launch import write
from pages import recipe
from screen import Net, Rows, make_sampler

PAGE = recipe("ddp")
folder, phase, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
torch.distributed.init_process_group("gloo")
rank = torch.distributed.get_rank()
for way, workers in (("state", 0), ("count", 2), ("seek", 2)):
    sampler, net, file = make_sampler(), Net(), folder / f"{way}.pt"
    state = torch.load(file) if phase else None
    torch.distributed.barrier()
    if way == "seek" and state:
        sampler.seek(*state)
        state = None
    *_, counted = islice(PAGE.train(net, Rows(), sampler, 2, state, workers), rounds)
    place = {"state": sampler.state_dict(), "count": counted, "seek": (counted["epoch"], counted["step"])}[way]
    if rank == phase % torch.distributed.get_world_size():  # Trainers save on any rank.
        torch.save(place, file)
    write(folder, f"{way}-{phase}", rank, net.seen)
torch.distributed.destroy_process_group()
