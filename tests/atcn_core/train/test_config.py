"""Training configurations: every file that comes with the project, changes to them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from atcn_core.errors import MotionError
from atcn_core.lift.network import AtcnConfig
from atcn_core.train.config import CONFIGS, load_config


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_file_gives_a_network_that_takes_the_samplers_windows(path: Path) -> None:
    config = load_config(path.stem, ["network.channels=16"])
    network = config.build().eval()
    with torch.inference_mode():
        assert network(torch.zeros(1, config.network.frames, 27, 3)).shape == (1, 27, 3)


@pytest.mark.parametrize(
    ("name", "frames", "causal"),
    [("l4xv2", 27, False), ("l5xv3", 81, False), ("l6xv4", 243, False), ("l6xv4-causal", 243, True)],
)
def test_the_prototypes_are_the_papers(name: str, frames: int, causal: bool) -> None:
    network = load_config(name).network
    assert isinstance(network, AtcnConfig)
    assert (network.frames, network.causal, network.channels) == (frames, causal, 1024)


def test_changes_reach_every_section(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[network]\nstages = 3\n[samples]\nspeed = [1.0, 1.0]\n[samples.camera]\nfov_deg = [40.0, 50.0]\n")
    changes = ["train.batch=32", 'train.optimizer="ranger"', "losses.velocity=0.5", "samples.noise=false"]
    config = load_config(str(path), changes)
    assert (config.train.batch, config.train.optimizer, config.losses.velocity) == (32, "ranger", 0.5)
    assert config.samples.noise is None
    assert config.samples.speed == (1.0, 1.0)
    assert config.samples.camera.fov_deg == (40.0, 50.0)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        (["train.bach=32"], "bach"),
        (['network.kernel_form="round"'], "kernel_form"),
        (["nonsense.a=1"], "nonsense"),
        (["train.batch"], "train.batch"),
        (["train.optimizer=sgd"], "TOML"),
        (['network.kind="tcn"'], "kind"),
    ],
)
def test_what_is_wrong_is_named(changes: list[str], word: str) -> None:
    with pytest.raises(MotionError, match=word):
        load_config("l4xv2", changes)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(MotionError) as caught:
        load_config("l7xv5")
    assert "l6xv4" in caught.value.hint
