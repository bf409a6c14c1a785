"""Loads files of `masksub export --pytorch` into timm's or transformers' model, strictly, and compares the logits.

    python scripts/reference/load.py WEIGHTS EXPECTED [WEIGHTS EXPECTED]...

WEIGHTS: the exported file; its metadata say which model. EXPECTED: a safetensors file with what the model sees, either
`images` (B, H, W, C), normalized, or `ids`, `types` and `present` (B, T), and the `logits` (B, classes) that the engine
computes of it in evaluation mode. Prints one JSON object a pair; exits with 1 where a logit differs by more than 1e-4
of the largest, or of 1. Needs torch, timm 1.0 and safetensors, and for BERT transformers 5.
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
    parser.add_argument("files", nargs="+", metavar="WEIGHTS EXPECTED")
    files = parser.parse_args().files
    if len(files) % 2:
        parser.error("Each file of weights needs one of what is expected.")
    failures = [failure for pair in zip(files[::2], files[1::2]) if (failure := compare(*pair))]
    if failures:
        sys.exit("\n".join(failures))


def compare(weights: str, expected: str) -> str | None:
    """What is wrong, in a sentence."""
    with safe_open(weights, "pt") as file:
        metadata = {key.removeprefix("masksub."): value for key, value in file.metadata().items()}
    model = build(metadata)
    model.load_state_dict(load_file(weights), strict=True)
    tensors = load_file(expected)
    with torch.no_grad():
        logits = forward(model.eval(), tensors)
    difference = (logits - tensors["logits"]).abs().max().item()
    allowed = 1e-4 * max(1.0, tensors["logits"].abs().max().item())
    print(json.dumps({"model": type(model).__name__, "difference": difference, "allowed": allowed}))
    if difference <= allowed:
        return None
    return f"{weights}: the logits differ by {difference:.2e}, allowed are {allowed:.2e}."


def forward(model: nn.Module, tensors: dict) -> torch.Tensor:
    if "images" in tensors:
        return model(tensors["images"].permute(0, 3, 1, 2))
    ids, types, present = (tensors[name].long() for name in ("ids", "types", "present"))
    return model(input_ids=ids, token_type_ids=types, attention_mask=present).logits


def build(metadata: dict) -> nn.Module:
    """The model that the metadata of an exported file describe."""
    config, class_names = (json.loads(metadata[what]) for what in ("model", "classNames"))
    builders = {"vit": vit, "resnet": resnet, "swin": swin}
    if config["name"] == "bert":
        return bert(config, len(class_names))
    if config["name"] not in builders:
        sys.exit(f"No model is known for \"{config['name']}\"; there are bert, {', '.join(builders)}.")
    images = json.loads(metadata["images"])
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


def bert(config: dict, classes: int) -> nn.Module:
    from transformers import BertConfig, BertForSequenceClassification

    return BertForSequenceClassification(
        BertConfig(
            vocab_size=config["vocabulary"],
            max_position_embeddings=config["positions"],
            hidden_size=config["width"],
            num_hidden_layers=config["depth"],
            num_attention_heads=config["heads"],
            intermediate_size=int(config["width"] * config["mlpRatio"] + 0.5),
            num_labels=classes,
        )
    )


if __name__ == "__main__":
    main()
