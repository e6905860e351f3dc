"""Run by torchrun: train by the recipe of docs/hosts/ddp.md, and leave what this rank saw."""

import sys

import torch.distributed
from launch import write
from pages import recipe
from screen import Net, Rows, make_sampler

folder = sys.argv[1]
net = Net()
sampler = make_sampler()
torch.distributed.init_process_group("gloo")
for _ in recipe("ddp").train(net, Rows(), sampler, epochs=2):
    pass
write(folder, "seen", torch.distributed.get_rank(), net.seen)
torch.distributed.destroy_process_group()
