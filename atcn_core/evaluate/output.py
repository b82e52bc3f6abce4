"""Tables as Markdown and as a file: what the commands print, and what model cards and documents are filled from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import OutputError
from ..files import whole_file
from .protocols import Row

__all__ = ["FIGURES_SCHEMA", "Figures", "markdown", "read_figures", "write_bytes"]

FIGURES_SCHEMA = "atcn.figures/1"


@dataclass
class Figures:
    """All that one evaluation found.

    networks: label, file, parameters, configuration and card of each network scored.
    tables:   by key, a title and rows that all have the same columns.
    series:   by network and take, Protocol 1 in mm over the frames.
    """

    networks: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[str, tuple[str, list[Row]]] = field(default_factory=dict)
    series: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """As JSON. Raises OutputError."""
        tables = {key: {"title": title, "rows": rows} for key, (title, rows) in self.tables.items()}
        content = {"schema": FIGURES_SCHEMA, "networks": self.networks, "tables": tables, "series": self.series}
        write_bytes(path, json.dumps(content, indent=1).encode())


def read_figures(path: Path) -> Figures:
    """The figures of a file `Figures.write` wrote. Raises OutputError where it is none."""
    hint = "Give a file written by python -m atcn_core.evaluate --json."
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if content["schema"] != FIGURES_SCHEMA:
            raise OutputError(f"{Path(path).name} has schema {content['schema']}, not {FIGURES_SCHEMA}.", hint=hint)
        tables = {key: (table["title"], table["rows"]) for key, table in content["tables"].items()}
        return Figures(content["networks"], tables, content["series"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(f"{Path(path).name} holds no figures.", hint=hint) from error


def markdown(rows: Sequence[Row]) -> str:
    """A Markdown table; the columns are those of the first row."""
    if not rows:
        return ""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(row[column]) for column in columns) + " |" for row in rows]
    return "\n".join(lines)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name in its folder, then rename it: never half a file. Raises OutputError."""
    with whole_file(Path(path)) as handle:
        handle.write(content)
