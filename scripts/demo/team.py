"""Processes that train the same network together, each on its part of every step's texts.

Each process has a replica; what they share in a step is the mean of their gradients, so that all make the same update and
the replicas stay equal. Processes of one thread wait for each other once in a step, not in every operation: on a machine
that does other work too, this is faster than threads.
"""

import os

import torch
import torch.multiprocessing as mp


class Team:
    """One process's place among `size`; process 0 leads."""

    def __init__(self, rank: int, slots: torch.Tensor, barrier):
        self.rank, self.size, self.slots, self.barrier = rank, len(slots), slots, barrier

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Mean of what the processes give, the same bits in each."""
        if self.size == 1:
            return values
        self.slots[self.rank, :len(values)] = values
        self.barrier.wait()
        mean = self.slots[:, :len(values)].mean(0)
        self.barrier.wait()
        return mean


def member(rank, work, slots, barrier, args):
    # A session of its own has its own share of the processor.
    os.setsid()
    work(Team(rank, slots, barrier), args)


def run(work, size: int, numbers: int, args) -> None:
    """Runs `work(team, args)` in `size` processes, this one being the first. At most `numbers` values are shared at a time."""
    slots = torch.zeros(size, numbers).share_memory_()
    context = mp.get_context("spawn")
    barrier = context.Barrier(size, timeout=900)
    others = [context.Process(target=member, args=(rank, work, slots, barrier, args), daemon=True) for rank in range(1, size)]
    for process in others:
        process.start()
    work(Team(0, slots, barrier), args)
    for process in others:
        process.join()
