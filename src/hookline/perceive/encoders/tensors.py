"""What is asked of every torch model: its weights, to hash them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hookline.perceive.encoders.packages import require

Module = Any
"""A torch module, whose package may not be installed where Hookline is checked."""


def weights(module: Module) -> dict[str, NDArray[np.uint8]]:
    """The bytes of each tensor of a module on the processor, by its name, type and shape."""
    byte = require("torch", "sentence").uint8  # numpy has no bfloat16
    return {
        f"{name} {tensor.dtype} {tuple(tensor.shape)}": (
            tensor.detach().contiguous().reshape(-1).view(byte).numpy()
        )
        for name, tensor in module.state_dict().items()
    }
