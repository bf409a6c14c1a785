"""Lets timm and transformers import torchvision where its build is for CUDA and PyTorch's for CPU."""

import sys

import torch


def mend_torchvision() -> None:
    """Call it before the first import of either."""
    try:
        import torchvision  # noqa: F401
    except ImportError:
        return
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        # Its import wants these two to be declared; nothing here calls them.
        for kernel in ("nms", "qnms"):
            torch.library.define(f"torchvision::{kernel}", "(Tensor dets, Tensor scores, float threshold) -> Tensor")
