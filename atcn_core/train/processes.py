"""Several processes that train one network together, as torchrun starts them; one process is the plain case."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from ..lift.device import pick_device

__all__ = ["Processes", "join_processes"]


@dataclass(frozen=True)
class Processes:
    """rank: this process' number; count: how many there are; device: where this one computes."""

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and speaks."""
        return self.rank == 0

    def share(self, network: nn.Module) -> nn.Module:
        """The network with its gradients averaged over the processes; batch statistics stay each process' own."""
        if self.count == 1:
            return network
        return DistributedDataParallel(network, broadcast_buffers=False)

    def agree(self, value: float) -> float:
        """The first process' value, in all of them: clocks differ, and all must stop at the same step."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, src=0)
        return shared.item()

    def leave(self) -> None:
        """End the group."""
        if self.count > 1:
            distributed.destroy_process_group()


def join_processes(device: str) -> Processes:
    """The group that torchrun set up in the environment, or one process alone.

    device: as for `pick_device`; on several GPUs each process takes its own. Raises DeviceError.
    """
    picked, count = pick_device(device), int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Processes(picked)
    if picked.type == "cuda":
        picked = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(picked)
    distributed.init_process_group("nccl" if picked.type == "cuda" else "gloo")
    return Processes(picked, distributed.get_rank(), count)
