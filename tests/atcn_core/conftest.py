"""Shared set-up of the engine's tests."""

import os

import torch

# The tests' tensors are small: a second thread costs more in waiting than it brings, most of all on a busy machine.
torch.set_num_threads(1)
# Tests that detect shall detect, and leave the developer's own cache alone.
os.environ["ATCN_DETECT_AGAIN"] = "1"
