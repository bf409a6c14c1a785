"""The reference numbers of the CLIP and BEiT forms, made by timm, against transformers' own models, in float64.

    python scripts/reference/transformers_forms.py FILE...

FILE: what forms.py writes. Loads its parameters, under transformers' names, strictly into CLIPVisionModel or BeitModel
and compares the logits of both branches with those of timm; the head is ours, since neither class has it. Prints one
JSON object a file; exits with 1 where a logit differs by more than 1e-10. Needs what forms.py needs, and transformers.
"""

import json
import re
import sys

import torch
from forms import FORMS, masked_forward, select
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F
from transformers import BeitConfig, BeitModel, CLIPVisionConfig, CLIPVisionModel

ALLOWED = 1e-10


def main() -> None:
    worst = max(check(file) for file in sys.argv[1:])
    if not worst <= ALLOWED:
        sys.exit(f"The logits differ by {worst:.2e}, allowed are {ALLOWED:.0e}.")


def check(file: str) -> float:
    """The largest difference of a logit."""
    with safe_open(file, "pt") as opened:
        form, config = (json.loads(opened.metadata()[what]) for what in ("form", "config"))
    tensors = load_file(file)
    parameters = {n.removeprefix("param/"): t.double() for n, t in tensors.items() if n.startswith("param/")}
    images = (tensors["images"].double() - 128) / 64
    keep = tensors["keep"].long()
    everything = torch.arange((config["img_size"] // config["patch_size"]) ** 2).expand(len(images), -1)

    timm = FORMS[form](**config).double().eval()
    timm.load_state_dict(parameters, strict=True)
    head = {name: parameters.pop(f"head.{name}") for name in ("weight", "bias")}
    model = BUILDERS[form](config).double().eval()
    model.load_state_dict(translated(parameters, NAMES[form]), strict=True)
    differences = {}
    with torch.no_grad():
        for branch, places in (("main", everything), ("sub", keep)):
            logits = F.linear(masked_features(model, images, places), **head)
            differences[branch] = (logits - masked_forward(timm, images, places)).abs().max().item()
    print(json.dumps({"model": type(model).__name__, "differences": differences}))
    return max(differences.values())


def masked_features(model: nn.Module, images: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """The pooled features where only the patches `keep` (B, K) and the class token get beyond the embedding."""
    places = F.pad(keep + 1, (1, 0))  # the class token is at 0

    def take_tokens(_module, _inputs, tokens: torch.Tensor) -> torch.Tensor:
        return select(tokens, places)

    def take_pairs(_module, _inputs, bias: torch.Tensor) -> torch.Tensor:
        return torch.stack([bias[0][:, at][:, :, at] for at in places])  # (B, H, K, K)

    hooks = [model.embeddings.register_forward_hook(take_tokens)]
    for module in model.modules():
        if type(module).__name__ == "BeitRelativePositionBias":
            hooks.append(module.register_forward_hook(take_pairs))
    pooled = model(pixel_values=images).pooler_output
    for hook in hooks:
        hook.remove()
    return pooled


def clip(config: dict) -> nn.Module:
    return CLIPVisionModel(CLIPVisionConfig(**sizes(config), hidden_act="quick_gelu"))


def beit(config: dict) -> nn.Module:
    # timm's epsilon; that of transformers' config is 1e-12.
    return BeitModel(BeitConfig(**sizes(config), use_relative_position_bias=True, layer_norm_eps=1e-6))


def sizes(config: dict) -> dict:
    return {
        "image_size": config["img_size"],
        "patch_size": config["patch_size"],
        "num_channels": config["in_chans"],
        "hidden_size": config["embed_dim"],
        "num_hidden_layers": config["depth"],
        "num_attention_heads": config["num_heads"],
        "intermediate_size": config["embed_dim"] * config["mlp_ratio"],
        "attn_implementation": "sdpa",  # the other one takes the softmax of BEiT in float32
    }


BUILDERS = {"clip": clip, "beit": beit}

# timm's names as patterns, and transformers'.
NAMES = {
    "clip": {
        r"cls_token": "embeddings.class_embedding",
        r"pos_embed": "embeddings.position_embedding.weight",
        r"patch_embed\.proj": "embeddings.patch_embedding",
        r"norm_pre": "pre_layrnorm",
        r"norm(?=\.)": "post_layernorm",
        r"blocks\.(\d+)\.norm": r"encoder.layers.\1.layer_norm",
        r"blocks\.(\d+)\.attn\.proj": r"encoder.layers.\1.self_attn.out_proj",
        r"blocks\.(\d+)\.attn": r"encoder.layers.\1.self_attn",
        r"blocks\.(\d+)\.mlp": r"encoder.layers.\1.mlp",
    },
    "beit": {
        r"cls_token": "embeddings.cls_token",
        r"patch_embed\.proj": "embeddings.patch_embeddings.projection",
        r"fc_norm": "pooler.layernorm",
        r"blocks\.(\d+)\.gamma_": r"layers.\1.lambda_",
        r"blocks\.(\d+)\.norm1": r"layers.\1.layernorm_before",
        r"blocks\.(\d+)\.norm2": r"layers.\1.layernorm_after",
        r"blocks\.(\d+)\.attn\.relative_position_bias_table": (
            r"layers.\1.relative_position_bias.relative_position_bias_table"
        ),
        r"blocks\.(\d+)\.attn\.proj": r"layers.\1.attention.o_proj",
        r"blocks\.(\d+)\.attn": r"layers.\1.attention",
        r"blocks\.(\d+)\.mlp": r"layers.\1.mlp",
    },
}


def translated(parameters: dict, names: dict) -> dict:
    """Of the timm-named parameters a state dict of transformers' model."""
    state = {}
    for name, value in parameters.items():
        pattern = next(pattern for pattern in names if re.match(pattern, name))
        renamed = re.sub(f"^{pattern}", names[pattern], name)
        if ".qkv." in renamed:
            for part, rows in zip("qkv", value.chunk(3)):
                state[renamed.replace(".qkv.", f".{part}_proj.")] = rows
        elif renamed.endswith(("attention.q_bias", "attention.v_bias")):
            state[re.sub(r"([qv])_bias$", r"\1_proj.bias", renamed)] = value
        else:
            state[renamed] = value
    if "embeddings.class_embedding" in state:
        for name in ("embeddings.class_embedding", "embeddings.position_embedding.weight"):
            state[name] = state[name].squeeze(0).squeeze(0)
    return state


if __name__ == "__main__":
    main()
