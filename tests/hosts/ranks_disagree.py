"""Run by torchrun: train, by the recipe of docs/hosts/ddp.md, on samplers that may differ between the ranks."""

import json
import sys

import torch.distributed
from launch import write
from pages import recipe
from screen import Net, Rows, make_sampler

folder, difference = sys.argv[1:]
torch.distributed.init_process_group("gloo")
rank = torch.distributed.get_rank()
sampler = make_sampler(**json.loads(difference) if rank else {})
for step, _ in enumerate(recipe("ddp").train(Net(), Rows(), sampler, epochs=2)):
    write(folder, "trained", rank, step)
torch.distributed.destroy_process_group()
