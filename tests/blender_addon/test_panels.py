"""The panel is drawn on a stand-in for the layout that accepts only what Blender itself knows."""

from types import SimpleNamespace

import bpy
import pytest

from blender_addon import engine, panels, runs
from blender_addon.core import protocol

from .addon import ENGINE_PYTHON, needs_engine, switched_on

__all__ = ["switched_on"]

FUNCTIONS = bpy.types.UILayout.bl_rna.functions
ICONS = FUNCTIONS["label"].parameters["icon"].enum_items.keys()


class Layout:
    """Records what is drawn. Unknown properties, operators, icons and arguments fail, as they would in a window."""

    def __init__(self) -> None:
        self.drawn: list[tuple[str, str]] = []

    def _check(self, function: str, settings: dict) -> None:
        assert set(settings) <= set(FUNCTIONS[function].parameters.keys())
        assert settings.get("icon", "NONE") in ICONS

    def column(self, **settings):
        self._check("column", settings)
        return self

    row = box = column

    def prop(self, data, name, **settings):
        self._check("prop", settings)
        assert name in data.bl_rna.properties
        self.drawn.append(("prop", name))

    def prop_search(self, data, name, search_data, search_name, **settings):
        self._check("prop_search", settings)
        assert name in data.bl_rna.properties
        assert search_name in search_data.bl_rna.properties
        self.drawn.append(("search", settings["text"]))

    def label(self, **settings):
        self._check("label", settings)
        self.drawn.append(("label", settings["text"]))

    def operator(self, name, **settings):
        self._check("operator", settings)
        kind, _, function = name.partition(".")
        getattr(getattr(bpy.ops, kind), function).get_rna_type()
        self.drawn.append(("operator", name))
        return SimpleNamespace()

    def progress(self, **settings):
        self._check("progress", settings)
        assert 0.0 <= settings["factor"] <= 1.0
        self.drawn.append(("progress", settings["text"]))


def draw() -> list[tuple[str, str]]:
    layout = Layout()
    context = SimpleNamespace(
        scene=bpy.context.scene, region=SimpleNamespace(width=300), preferences=bpy.context.preferences
    )
    panels.ATCN_PT_capture.draw(SimpleNamespace(layout=layout), context)
    return layout.drawn


@pytest.fixture
def with_engine(switched_on, monkeypatch):
    monkeypatch.setenv(engine.ENGINE_VARIABLE, str(ENGINE_PYTHON))


@needs_engine
def test_at_rest_it_shows_the_settings_and_the_capture_button(with_engine):
    drawn = draw()
    assert ("prop", "video") in drawn
    assert ("prop", "avatar") in drawn
    assert ("operator", "atcn.capture") in drawn
    bpy.context.scene.atcn.target = "ARMATURE"
    bpy.context.scene.atcn.use_range = True
    drawn = draw()
    assert {("prop", "armature"), ("prop", "start_s"), ("prop", "end_s")} <= set(drawn)


@needs_engine
def test_while_it_runs_it_shows_stage_share_and_cancel(with_engine):
    run = runs.begin(ENGINE_PYTHON, lambda folder: protocol.DemoJob(steps=1000))
    runs.status.hear(protocol.Progress("detect", 30, 100))
    drawn = draw()
    assert ("progress", "Finding the person  30%") in drawn
    assert ("operator", "atcn.cancel") in drawn
    assert ("operator", "atcn.capture") not in drawn
    run.cancel()
    assert ("progress", "Stopping") in draw()


def test_without_an_engine_it_shows_what_is_missing_and_the_button_that_makes_it(switched_on, monkeypatch, tmp_path):
    monkeypatch.setenv(engine.ENGINE_VARIABLE, str(tmp_path / "none"))
    drawn = draw()
    assert ("operator", "atcn.install_engine") in drawn
    assert ("operator", "atcn.capture") not in drawn
    assert any(kind == "label" and "engine" in text for kind, text in drawn)


@needs_engine
def test_an_error_is_shown_whole_in_lines_that_fit_with_the_way_to_its_log(with_engine):
    sentence = "The video cannot be read because it is damaged from its very beginning to its very end."
    runs.status.fail("The capture failed.", sentence, "Choose another file.", "engine.log")
    drawn = draw()
    lines = [text for kind, text in drawn if kind == "label"]
    assert sentence in " ".join(lines)
    assert "Choose another file." in lines
    assert max(len(line) for line in lines) < 45
    assert ("operator", "wm.path_open") in drawn


def test_a_movement_that_is_there_already_needs_no_engine_and_is_chosen_by_file_or_armature(switched_on, monkeypatch):
    monkeypatch.setenv(engine.ENGINE_VARIABLE, "no such python")
    for source, chosen in (("BVH", "bvh"), ("ARMATURE", "source_armature")):
        bpy.context.scene.atcn.source = source
        drawn = draw()
        assert {("prop", "source"), ("prop", chosen), ("operator", "atcn.transfer")} <= set(drawn)
        assert not {("prop", "video"), ("operator", "atcn.capture"), ("operator", "atcn.install_engine")} & set(drawn)
