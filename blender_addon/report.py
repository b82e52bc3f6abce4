"""How errors reach the user: one sentence and a hint, in the panel and as the operator's report."""

from __future__ import annotations

import logging

import bpy

from .core import errors
from .runs import status

__all__ = ["cancelled", "failed", "finished"]

logger = logging.getLogger(__name__)


def failed(operator: bpy.types.Operator, headline: str, error: errors.AtcnError, log: str = "") -> set[str]:
    """Tell of an expected failure; log: the file that tells more, if any. Returns the operator's result."""
    status.fail(headline, error.message, error.hint, log)
    logger.info("%s %s %s", headline, error, log)
    operator.report({"ERROR"}, f"{error} The log is {log}." if log else str(error))
    return {"CANCELLED"}


def cancelled(operator: bpy.types.Operator, headline: str) -> set[str]:
    """Tell that the user's wish to stop was done. Returns the operator's result."""
    status.end(headline)
    operator.report({"INFO"}, headline)
    return {"CANCELLED"}


def finished(operator: bpy.types.Operator, headline: str) -> set[str]:
    """Tell of success, and of what the engine warned of. Returns the operator's result."""
    status.end(headline, well=True)
    for warning in status.warnings:
        operator.report({"WARNING"}, warning)
    operator.report({"INFO"}, headline)
    return {"FINISHED"}
