"""The packages that training needs, bound at run time, and kept quiet and offline."""

import warnings
from collections.abc import Generator
from contextlib import contextmanager

from hookline import extras
from hookline.extras import Package

__all__ = ["Package", "require", "undisturbed"]


def require(package: str) -> Package:
    """A package that only tuning a writer needs.

    Raises:
        BadInput: Where it is not installed.
    """
    return extras.require(package, "tune", "tuning a writer")


@contextmanager
def undisturbed(devices: list[str]) -> Generator[None]:
    """Within, no package asks the network for anything or draws bars, and draws are our own.

    TRL tells its makers of every training it starts, unless the hub is offline.

    Args:
        devices: Accelerators whose draws are left to others as they were, beside the processor's.

    Raises:
        BadInput: Where a package is missing.
    """
    constants, log = require("huggingface_hub").constants, require("transformers").utils.logging
    drawing = [each.utils.logging for each in (require("datasets"), require("transformers"))]
    drawing = [bars for bars in drawing if bars.is_progress_bar_enabled()]
    was_offline, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    was_loud = log.get_verbosity()
    log.set_verbosity_error()
    for bars in drawing:
        bars.disable_progress_bar()
    try:
        with warnings.catch_warnings(), require("torch").random.fork_rng(devices=devices):
            for package in (
                "transformers",
                "trl",
                "peft",
                "torch",
            ):  # of each other's next versions
                warnings.filterwarnings("ignore", category=FutureWarning, module=package)
            yield
    finally:
        constants.HF_HUB_OFFLINE = was_offline
        log.set_verbosity(was_loud)
        for bars in drawing:
            bars.enable_progress_bar()
