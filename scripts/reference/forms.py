"""Reference numbers for the forms of the Vision Transformer, made with timm's own modules in float64.

    python scripts/reference/forms.py test/parity/forms             # what is stored in the repository
    python scripts/reference/forms.py OUT --seed 1 --all            # other numbers, of every form

Needs torch, timm 1.0 and safetensors. Writes OUT/<form>.safetensors: `param/<name>` (timm's state dict, random),
`images` U8 (x = (value - 128) / 64, NCHW), `keep` I32 (B, K: the kept patches of the masked branch, in the order in
which it sees them), `target` (B, C); and expected, float64 rounded to float32: `main.logits`, `sub.logits`, and
`grad/<name>` of 1/2 CE(main, target) + 1/2 CE(sub, softmax(main).detach()). The metadata hold the configuration and
what else timm says of the form.
"""

import argparse
import json
from functools import partial
from pathlib import Path
from unittest import mock

import torch
from mend_torchvision import mend_torchvision
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

mend_torchvision()
import timm  # noqa: E402
from timm.models.beit import Beit  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402

# What each form is in timm beside the sizes: beit_base_patch16_224, vit_base_patch16_clip_quickgelu_224,
# deit3_base_patch16_224, and the model of MAE's fine-tuning.
FORMS = {
    "beit": partial(Beit, global_pool="avg", use_abs_pos_emb=False, use_rel_pos_bias=True, init_values=0.1),
    "clip": partial(
        VisionTransformer, pre_norm=True, norm_layer=partial(nn.LayerNorm, eps=1e-5), act_layer="quick_gelu"
    ),
    "deit3": partial(VisionTransformer, no_embed_class=True, init_values=1e-4),
    "mae": partial(VisionTransformer, global_pool="avg"),
}
STORED = ("beit", "clip")

TINY = dict(img_size=16, patch_size=4, in_chans=3, num_classes=5, embed_dim=16, depth=2, num_heads=2, mlp_ratio=2)
BATCH, KEPT = 3, 7
NAMED = {
    "ti/16": dict(patch_size=16, embed_dim=192, depth=12, num_heads=3),
    "s/16": dict(patch_size=16, embed_dim=384, depth=12, num_heads=6),
    "b/16": dict(patch_size=16, embed_dim=768, depth=12, num_heads=12),
    "l/16": dict(patch_size=16, embed_dim=1024, depth=24, num_heads=16),
    "h/14": dict(patch_size=14, embed_dim=1280, depth=32, num_heads=16),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path, help="folder that receives a file for each form")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="every form, not only those that are stored")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for form in FORMS if arguments.all else STORED:
        write(form, arguments.seed, arguments.out / f"{form}.safetensors")


def write(form: str, seed: int, file: Path) -> None:
    random = torch.Generator().manual_seed(seed)
    model = FORMS[form](**TINY).double().train()
    randomize(model, random)
    side = TINY["img_size"]
    images = torch.randint(0, 256, (BATCH, 3, side, side), generator=random, dtype=torch.uint8)
    keep = torch.stack([torch.randperm(model.patch_embed.num_patches, generator=random)[:KEPT] for _ in range(BATCH)])
    target = torch.rand(BATCH, TINY["num_classes"], generator=random).softmax(-1)

    x = (images.double() - 128) / 64
    main = model(x)
    everything = torch.arange(model.patch_embed.num_patches).expand(BATCH, -1)
    torch.testing.assert_close(masked_forward(model, x, everything), main, rtol=0, atol=1e-12)
    sub = masked_forward(model, x, keep)
    losses = (cross_entropy(main, target.double()), cross_entropy(sub, main.detach().softmax(-1)))
    (0.5 * losses[0] + 0.5 * losses[1]).backward()

    parameters = dict(model.named_parameters())
    assert list(parameters) == list(model.state_dict())
    tensors = {
        "images": images,
        "keep": keep.int(),
        "target": target,
        "main.logits": main.detach().float(),
        "sub.logits": sub.detach().float(),
        **{f"param/{name}": value.detach().float() for name, value in parameters.items()},
        **{f"grad/{name}": value.grad.float() for name, value in parameters.items()},
    }
    metadata = {
        "form": form,
        "config": TINY,
        "order": list(parameters),
        # timm's own rule of its optimizer factory: nothing of one dimension, and what the model names.
        "no_decay": [n for n, value in parameters.items() if value.ndim <= 1 or n in model.no_weight_decay()],
        "losses": [loss.item() for loss in losses],
        "drop_path": drop_path_rates(form),
        "parameters": {name: count(form, size) for name, size in NAMED.items()},
        "made_with": f"torch {torch.__version__}, timm {timm.__version__}, seed {seed}",
    }
    save_file({n: t.contiguous() for n, t in tensors.items()}, file, {k: json.dumps(v) for k, v in metadata.items()})
    print(f"{file}: losses {metadata['losses']}")


def randomize(model: nn.Module, random: torch.Generator) -> None:
    """Values at which every parameter matters, exact in float32."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=random)
        if "norm" in name and name.endswith("weight"):
            noise = 1 + 0.2 * noise
        elif "gamma" in name:
            noise = 0.6 + 0.2 * noise
        elif name.endswith("weight"):
            noise = noise / parameter[0].numel() ** 0.5
        elif "table" not in name:
            noise = 0.3 * noise
        if name.startswith(("cls_token", "pos_embed", "patch_embed")):
            noise = 0.03 * noise  # so small that the first norm's epsilon shows
        parameter.data.copy_(noise)


def masked_forward(model: nn.Module, images: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """The model on the patches `keep` (B, K) and the class token: the others leave once they know their place."""
    if isinstance(model, Beit):
        return masked_beit(model, images, keep)
    x = model._pos_embed(model.patch_embed(images))
    prefix = model.num_prefix_tokens
    x = torch.cat([x[:, :prefix], select(x[:, prefix:], keep)], dim=1)
    return model.forward_head(model.norm(model.blocks(model.norm_pre(x))))


def masked_beit(model: Beit, images: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    patches = select(model.patch_embed(images), keep)
    x = torch.cat([model.cls_token.expand(len(patches), -1, -1), patches], dim=1)
    places = F.pad(keep + 1, (1, 0))  # the class token is at 0
    for block in model.blocks:
        bias = block.attn._get_rel_pos_bias()[0]  # (H, T, T)
        of_kept = torch.stack([bias[:, at][:, :, at] for at in places])  # (B, H, K, K)
        with mock.patch.object(block.attn, "_get_rel_pos_bias", lambda: of_kept):
            x = block(x)
    return model.forward_head(model.norm(x))


def select(tokens: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    return torch.stack([sample[at] for sample, at in zip(tokens, keep)])


def cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return -(target * logits.log_softmax(-1)).sum(-1).mean()


def drop_path_rates(form: str) -> list:
    """Of four blocks, where the last one has 0.3."""
    blocks = FORMS[form](**{**TINY, "depth": 4}, drop_path_rate=0.3).blocks
    return [getattr(block.drop_path1, "drop_prob", 0) for block in blocks]


def count(form: str, size: dict) -> int:
    """Parameters of a named size at 224 pixels and 1000 classes; no memory is taken for them."""
    return sum(parameter.numel() for parameter in FORMS[form](**size, device="meta").parameters())


if __name__ == "__main__":
    main()
