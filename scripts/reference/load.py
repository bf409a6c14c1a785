"""Loads a file of `masksub export --pytorch` into timm's model, strictly, and compares its logits with those of the engine.

    python scripts/reference/load.py WEIGHTS EXPECTED

WEIGHTS: the exported file; its metadata say which model. EXPECTED: a safetensors file with `images` (B, H, W, C),
normalized, and `logits` (B, classes) as the engine computes them in evaluation mode. Prints one JSON object; exits
with 1 where a logit differs by more than 1e-4 of the largest, or of 1. Needs torch, timm 1.0 and safetensors.
"""

import argparse
import json
import sys

import torch
from forms import FORMS
from safetensors import safe_open
from safetensors.torch import load_file
from timm.models.resnet import Bottleneck, ResNet
from timm.models.swin_transformer import SwinTransformer
from torch import nn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights")
    parser.add_argument("expected")
    args = parser.parse_args()
    with safe_open(args.weights, "pt") as file:
        metadata = file.metadata()
    model = build(*(json.loads(metadata[f"masksub.{what}"]) for what in ("model", "images", "classNames")))
    model.load_state_dict(load_file(args.weights), strict=True)
    expected = load_file(args.expected)
    with torch.no_grad():
        logits = model.eval()(expected["images"].permute(0, 3, 1, 2))
    difference = (logits - expected["logits"]).abs().max().item()
    allowed = 1e-4 * max(1.0, expected["logits"].abs().max().item())
    print(json.dumps({"model": type(model).__name__, "difference": difference, "allowed": allowed}))
    if not difference <= allowed:
        sys.exit(f"The logits differ by {difference:.2e}, allowed are {allowed:.2e}.")


def build(config: dict, images: dict, class_names: list) -> nn.Module:
    """timm's model for the `model` group of a resolved config."""
    builders = {"vit": vit, "resnet": resnet, "swin": swin}
    if config["name"] not in builders:
        sys.exit(f"No model of timm is known for \"{config['name']}\"; there are {', '.join(builders)}.")
    shape = {"in_chans": images["channels"], "num_classes": len(class_names)}
    if config["name"] != "resnet":
        shape |= {"img_size": images["height"], "patch_size": config["patchSize"], "embed_dim": config["width"]}
    return builders[config["name"]](config, shape)


def vit(config: dict, shape: dict) -> nn.Module:
    pooled = config["pool"] == "mean"
    # Only DeiT-III's form goes without a class token where nothing reads it.
    token = {"class_token": not pooled} if config["form"] == "deit3" else {}
    return FORMS[config["form"]](
        **shape,
        **token,
        depth=config["depth"],
        num_heads=config["heads"],
        mlp_ratio=config["mlpRatio"],
        init_values=config["layerScale"] or None,
        global_pool="avg" if pooled else "token",
    )


def resnet(config: dict, shape: dict) -> nn.Module:
    if config["stem"] != 64:
        sys.exit(f"timm's ResNet has 64 channels after the first convolution; this one has {config['stem']}.")
    if len(config["blocks"]) != 4:
        sys.exit(f"timm's ResNet has 4 stages; this one has {len(config['blocks'])}.")
    return ResNet(Bottleneck, config["blocks"], channels=config["channels"], **shape)


def swin(config: dict, shape: dict) -> nn.Module:
    return SwinTransformer(
        **shape,
        depths=config["blocks"],
        num_heads=config["heads"],
        window_size=config["window"],
        mlp_ratio=config["mlpRatio"],
    )


if __name__ == "__main__":
    main()
