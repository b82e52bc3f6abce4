"""Weights files: any network with a configuration goes in, and comes back only as what it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from atcn_core.errors import ModelError
from atcn_core.lift.checkpoint import load_network, read_weights, restore, save_network
from atcn_core.lift.network import Atcn, AtcnConfig
from atcn_core.lift.weights import BUNDLED, bundled_networks, network_file
from atcn_core.train.rivals import KINDS, RivalConfig, build_rival
from atcn_core.worker.protocol import DEFAULT_NETWORK


def small_atcn() -> Atcn:
    return Atcn(AtcnConfig(27, 27, stages=3, values_per_joint=3, channels=16, groups=4, reduction=8)).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_a_rivals_weights_come_back_with_kind_configuration_and_card(kind: str, tmp_path: Path) -> None:
    network = build_rival(RivalConfig(kind, 27, 27, 27, channels=16)).eval()
    save_network(tmp_path / "w.safetensors", network, {"windows": 12})
    weights = read_weights(tmp_path / "w.safetensors")
    assert (weights.kind, weights.card) == (kind, {"windows": 12})
    again = restore(build_rival(RivalConfig(**weights.config)), weights)
    window = torch.randn(2, 27, 27, 3)
    assert torch.allclose(again(window), network(window), atol=5e-3)
    with pytest.raises(ModelError, match="another network"):
        load_network(tmp_path / "w.safetensors")


def test_a_file_that_names_no_kind_is_an_atcn() -> None:
    assert "kind" not in read_weights(BUNDLED).config
    assert read_weights(BUNDLED).kind == "atcn"


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    save_network(tmp_path / "w.safetensors", small_atcn())
    other = Atcn(AtcnConfig(27, 27, stages=3, values_per_joint=3, channels=32, groups=4, reduction=8))
    with pytest.raises(ModelError, match="do not fit"):
        restore(other, read_weights(tmp_path / "w.safetensors"))


def test_a_safetensors_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(3)}, tmp_path / "w.safetensors")
    with pytest.raises(ModelError, match="another kind"):
        read_weights(tmp_path / "w.safetensors")


def test_networks_are_found_by_name_or_file(tmp_path: Path) -> None:
    assert network_file(DEFAULT_NETWORK) == BUNDLED
    assert bundled_networks()[DEFAULT_NETWORK] == BUNDLED
    own = tmp_path / "mine.safetensors"
    own.write_bytes(b"")
    assert network_file(str(own)) == own
    with pytest.raises(ModelError) as caught:
        network_file("l9xv9")
    assert DEFAULT_NETWORK in caught.value.hint


def test_what_is_wrong_with_a_file_shows_without_torch(tmp_path: Path) -> None:
    whole = BUNDLED.read_bytes()
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole[: len(whole) // 2])
    lines = [
        "import sys",
        "from pathlib import Path",
        "from atcn_core.errors import ModelError",
        "from atcn_core.lift.weights import BUNDLED, read_label",
        "print(read_label(BUNDLED).config['channels'])",
        "try:",
        f"    read_label(Path({str(cut)!r}))",
        "except ModelError as error:",
        "    print(error)",
        "print('torch' in sys.modules)",
    ]
    ran = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    channels, refused, has_torch = ran.stdout.splitlines()
    assert int(channels) == load_network(BUNDLED).config.channels
    assert "cut.safetensors are damaged" in refused
    assert has_torch == "False"
