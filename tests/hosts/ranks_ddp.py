"""Run by torchrun: train by the recipes of docs/hosts/ddp.md, and leave what this rank saw."""

import sys

import torch.distributed
from launch import write
from pages import recipe
from screen import Net, Rows, make_sampler

PAGE = recipe("ddp")
folder = sys.argv[1]
early = make_sampler()
alone = len(early)
torch.distributed.init_process_group("gloo")
rank = torch.distributed.get_rank()
write(folder, "lengths", rank, [alone, len(early), len(make_sampler(even_batches=False))])
write(folder, "given", rank, [list(make_sampler(num_replicas=1)), list(make_sampler(num_replicas=4, rank=3))])
for name, sampler in (("early", early), ("late", make_sampler())):
    for workers in (0, 2):
        net = Net()
        for _ in PAGE.train(net, Rows(), sampler, epochs=2, num_workers=workers):
            pass
        write(folder, f"{name}-{workers}", rank, net.seen)
        sampler.seek(0, 0)
net = Net()
PAGE.train_uneven(net, Rows(), make_sampler(even_batches=False), epochs=2)
write(folder, "uneven", rank, net.seen)
write(folder, "weight", rank, net.weight.item())
torch.distributed.destroy_process_group()
