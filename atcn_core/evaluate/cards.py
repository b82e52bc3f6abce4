"""Fill documents with figures, so that none is typed by hand: model cards, and tables between marks.

python -m atcn_core.evaluate.cards figures.json [more.json] [--models docs/models.md] [--into README.md ...] [--check]

A document says where a table goes with <!-- figures: NAME --> and <!-- end figures -->; what stands between is
replaced by the table NAME of the figures (python -m atcn_core.evaluate --json).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..console import EXIT_FAILED, complain
from ..errors import AtcnError, ModelError, OutputError
from ..files import sha256
from ..lift.weights import BUNDLED
from .output import Figures, markdown, read_figures, write_bytes
from .protocols import Row

__all__ = ["card", "filled", "main", "models_page", "page_text", "publish"]

_MARKED = re.compile(r"(<!-- figures: (\S+) -->\n).*?(<!-- end figures -->)", re.DOTALL)
_PAGE_HEAD = """# Models

Every weights file says how it was made: the rows of "training" below are its own metadata, and the scores are those of
`python -m atcn_core.evaluate`. This page is written by `python -m atcn_core.evaluate.cards`.
"""
# Tables whose rows belong to one network each, and the column that names it.
_BY_NETWORK = {"held_out": "method", "takes": "network", "attention": "network", "speed": "network"}
_FIRST_ALONE = "pose2sim"


def models_page(every: Sequence[Figures]) -> str:
    """The page of all model cards."""
    cards = [card(figures, network) for figures in every for network in figures.networks]
    return "\n".join([_PAGE_HEAD, *cards])


def card(figures: Figures, network: Mapping[str, Any]) -> str:
    """One network's model card. network: one of the figures' own."""
    label = str(network["label"])
    parts = [f"## {label}\n", markdown(_facts(network)), "\n### Training\n", markdown(_training(network["card"]))]
    for name, (title, rows) in figures.tables.items():
        chosen = _rows_of(name, rows, label, is_first=network is figures.networks[0])
        if chosen:
            parts.append(f"\n### {title}\n\n{markdown(chosen)}")
    return "\n".join(parts) + "\n"


def _rows_of(name: str, rows: Sequence[Row], label: str, *, is_first: bool) -> list[Row]:
    """What a table says of one network."""
    if name in _BY_NETWORK:
        column = _BY_NETWORK[name]
        return [{key: row[key] for key in row if key != column} for row in rows if row[column] == label]
    if name == "noise":
        return [{"noise px": row["noise px"], "P2": row[label]} for row in rows]
    return list(rows) if name == _FIRST_ALONE and is_first else []


def _facts(network: Mapping[str, Any]) -> list[Row]:
    rows: dict[str, object] = {
        "file": f"`{network['file']}`, sha256 `{network['sha256'][:16]}`",
        "parameters": f"{network['parameters']:,}",
        "network": _in_words(network["config"]),
    }
    return [{"what": key, "value": value} for key, value in rows.items()]


def _training(card: Mapping[str, Any]) -> list[Row]:
    """The card's entries as they are, nested ones in words; a configuration by its sections."""
    rows: list[Row] = []
    for key, value in card.items():
        if key == "config" and isinstance(value, Mapping):
            rows += [{"what": section, "value": _in_words(options)} for section, options in value.items()]
        else:
            rows.append({"what": key.replace("_", " "), "value": _in_words(value)})
    return rows or [{"what": "-", "value": "the file says nothing of it"}]


def _in_words(value: object) -> str:
    """A value for a table's cell."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_in_words(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(map(_in_words, value)) + ")"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def filled(text: str, every: Sequence[Figures], name: str) -> str:
    """A document's text with its tables put in. Raises OutputError for a table that the figures do not have."""
    tables = {key: rows for figures in every for key, (_, rows) in figures.tables.items()}

    def table(found: re.Match[str]) -> str:
        head, wanted, tail = found.groups()
        if wanted not in tables:
            hint = f"The figures have {', '.join(sorted(tables))}."
            raise OutputError(f"{name} asks for the table {wanted}, which the figures have not.", hint=hint)
        return f"{head}{markdown(tables[wanted])}\n{tail}"

    return _MARKED.sub(table, text)


def publish(name: str, rows: list[dict[str, object]], *, data: Path | None = None, page: Path | None = None) -> None:
    """Write one table as JSON and between a document's marks of this name, wherever wished. Raises OutputError."""
    if data is not None:
        write_bytes(data, (json.dumps(rows, indent=1) + "\n").encode())
    if page is not None:
        text = page_text(page)
        # The page's other tables are made by other commands.
        mine = re.compile(_MARKED.pattern.replace(r"\S+", re.escape(name)), re.DOTALL)
        figures = [Figures(tables={name: ("", rows)})]
        write_bytes(page, mine.sub(lambda found: filled(found[0], figures, page.name), text).encode())


def _check_weights(every: Sequence[Figures]) -> None:
    """Figures of weights that have been replaced since must not stand beside the new ones."""
    for network in (network for figures in every for network in figures.networks):
        bundled = BUNDLED.parent / str(network["file"])
        if bundled.is_file() and sha256(bundled) != network["sha256"]:
            raise ModelError(f"The figures are of another {bundled.name} than the bundled one.", hint="Evaluate again.")


def _write(path: Path, text: str, check: bool) -> bool:
    """Write where something changes (or only look). Returns whether it did."""
    changed = not path.is_file() or path.read_text(encoding="utf-8") != text
    if changed and not check:
        write_bytes(path, text.encode())
    return changed


def main(words: list[str] | None = None) -> int:
    """Fill the documents. Returns 0, 1 where --check finds a document that is not up to date, 2 for a failure."""
    parser = argparse.ArgumentParser(
        prog="python -m atcn_core.evaluate.cards",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("figures", type=Path, nargs="+", help="files of python -m atcn_core.evaluate --json")
    parser.add_argument("--models", type=Path, help="write all model cards here")
    parser.add_argument("--into", type=Path, nargs="+", default=[], help="documents whose marked tables to replace")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where something would change")
    arguments = parser.parse_args(words)
    try:
        every = [read_figures(path) for path in arguments.figures]
        _check_weights(every)
        pages = {path: filled(page_text(path), every, path.name) for path in arguments.into}
        if arguments.models:
            pages[arguments.models] = models_page(every)
        changed = [path for path, text in pages.items() if _write(path, text, arguments.check)]
    except AtcnError as error:
        complain(error)
        return EXIT_FAILED
    for path in changed:
        sys.stdout.write(f"{path} {'is not up to date' if arguments.check else 'written'}\n")
    return 1 if arguments.check and changed else 0


def page_text(path: Path) -> str:
    """A document's text. Raises OutputError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path} cannot be read.", hint="Give Markdown files that exist.") from error


if __name__ == "__main__":
    sys.exit(main())
