# The project's commands. `make help` lists them; README.md says what they are for.
# Needed: Python 3.11, git and make (and the system libraries that `make system` names where they are missing).

PYTHON311 := $(or $(PYTHON311),$(shell .ci/find_python 3.11))
export PYTHON311 PYTHON313

ENGINE := .venv/bin/python
BLENDER := .blender/5.0/bin/python

VIDEO ?= tests/data/demo.mp4
RIG ?= bruno
GALLERY_VIDEOS ?=
ARGS ?=
# For the training commands: a folder of BVH files, the run's folder, and what is trained.
MOTION ?= ../shared/mocap
RUN ?= out/train
CONFIG ?= l6xv4
TORCH_PYTHON ?= .venv/bin/python
export VIDEO RIG OUT MOTION RUN CONFIG

.DEFAULT_GOAL := help
.PHONY: help capture test gallery bench addon train train-gpu model lint format engine blender system clean

help: ## list the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' Makefile | while IFS='|' read -r name words; do printf '  make %-10s%s\n' "$$name" "$$words"; done

capture: engine blender model ## VIDEO=clip.mp4 [RIG=name] [OUT=out.blend]: capture, write the .blend and a preview .mp4 beside it
	@name=$$(basename "$$VIDEO"); out="$${OUT:-out/$${name%.*}.blend}"; \
	$(BLENDER) -m blender_addon.batch --video "$$VIDEO" --rig "$$RIG" --out "$$out" --preview

test: system ## every test and check, on all four Blender versions
	@$(PYTHON311) .ci/check.py

gallery: engine blender model ## docs/gallery.jpg: six videos captured onto the six avatars (GALLERY_VIDEOS="a.mp4 b.mp4@3-8")
	@$(BLENDER) rigs/render_gallery.py $(GALLERY_VIDEOS) $(ARGS)

bench: engine blender model ## the speed and memory figures in one table (VIDEO= and RIG= as above, ARGS=--json for a program)
	@$(BLENDER) -m blender_addon.bench --video "$$VIDEO" --rig "$$RIG" $(ARGS)

addon: system ## the extension's zip, in dist/
	@$(PYTHON311) build_addon.py $(ARGS)

train: engine ## train a network on MOTION=folder into RUN=folder (CONFIG=l6xv4, ARGS="--minutes 60 ...")
	@$(ENGINE) -m atcn_core.train --motion "$$MOTION" --run "$$RUN" --config "$$CONFIG" $(ARGS)

train-gpu: ## the full-width network in 25 minutes on a GPU, with a Python that has CUDA's torch (TORCH_PYTHON=python3)
	@$(TORCH_PYTHON) -m atcn_core.train --motion "$$MOTION" --run "$$RUN" --config l6xv4-gpu --device cuda $(ARGS)

lint: engine ## ruff and pyright
	@$(ENGINE) -m ruff check .
	@$(ENGINE) -m ruff format --check .
	@$(ENGINE) -m pyright

format: engine ## let ruff write the code's form
	@$(ENGINE) -m ruff check --fix .
	@$(ENGINE) -m ruff format .

model: engine ## the 2D detector's model, made once and cached
	@$(ENGINE) -m atcn_core.detect.model

engine: system ## the engine's environment, .venv
	@$(PYTHON311) .ci/environment.py engine

blender: system ## the embedded Blender (the bpy wheel), .blender/5.0
	@$(PYTHON311) .ci/environment.py blender 5.0

system: ## say which system libraries are missing, if any
	@test -n "$(PYTHON311)" || { echo "Python 3.11 is needed, with its venv module (on Debian and Ubuntu: python3.11-venv); \
	name one with PYTHON311=/path/to/python3.11." >&2; exit 1; }
	@$(PYTHON311) .ci/check_system.py

clean: ## remove what the commands made: environments, build, dist, out
	rm -rf .venv .blender build dist out .pytest_cache .hypothesis .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
