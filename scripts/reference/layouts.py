"""Small files of weights in the layouts that others publish, and what their models make of some inputs.

    python scripts/reference/layouts.py OUT [--seed 0] [--only CASE...]

Writes for each case OUT/CASE.<safetensors, pth, pt or bin> and OUT/CASE.expected, a safetensors file. Its metadata say
in `checks` which of our models shall start from the file: keys of the config's `model` group, image size, channels or
tokens, and classes; and of `tensors` N.images (B, H, W, C) or N.ids, N.types and N.present (B, T), N.logits (B,
classes), float64 rounded to float32, and N.start/<our name>: what stands in for parameters that the file lacks.

OUT/resizing.expected has tables N.from (from², width) and what they become, N.to (to², width), bicubic by PyTorch; those
of odd sides also N.offsets, by timm's way for BEiT. `tables` of its metadata holds the sides.

Models of timm and transformers are saved as they are. DeiT-III, MAE, BEiT v2, CLIP and Swin as their authors publish
them have the names and shapes of their repositories, filled from timm's model. Other sizes: position embeddings as
timm resamples them, without antialiasing, as DeiT and MAE do; tables of relative positions of BEiT as timm does it, of
Swin bicubic, as Microsoft does it; other channels as timm adapts them. Needs torch, timm 1.0, transformers 5, and
safetensors.
"""

import argparse
import json
import re
from pathlib import Path

import torch
from mend_torchvision import mend_torchvision
from safetensors.torch import save_file
from torch import nn

mend_torchvision()
from forms import FORMS  # noqa: E402
from timm.layers import resample_abs_pos_embed  # noqa: E402
from timm.layers.pos_embed_rel import (  # noqa: E402
    gen_relative_position_index,
    resize_rel_pos_bias_table,
    resize_rel_pos_bias_table_simple,
)
from timm.models import adapt_input_conv  # noqa: E402
from timm.models.resnet import Bottleneck, ResNet  # noqa: E402
from timm.models.swin_transformer import SwinTransformer  # noqa: E402

BATCH, CLASSES = 3, 5
WIDTH, DEPTH, HEADS = 16, 2, 2
SIDE, PATCH = 16, 4
TINY = dict(
    img_size=SIDE, patch_size=PATCH, num_classes=CLASSES, embed_dim=WIDTH, depth=DEPTH, num_heads=HEADS, mlp_ratio=2
)
OURS = dict(name="vit", patchSize=PATCH, width=WIDTH, depth=DEPTH, heads=HEADS, mlpRatio=2)
# A larger and a smaller grid than the file's 4 × 4.
OTHER_SIDES = (24, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_resizing(arguments.out / "resizing.expected", arguments.seed)
    for name in arguments.only:
        case = Case(arguments.seed)
        CASES[name](case)
        print(case.write(arguments.out, name))


class Case:
    """A file to be, and what shall come of it."""

    def __init__(self, seed: int):
        self.random = torch.Generator().manual_seed(seed)
        self.file = None
        self.checks, self.tensors = [], {}

    def saved(self, suffix: str, state: dict, wrapper: str | None = None) -> None:
        """The state dict as a file; PyTorch's own may hold it under a name, beside other things."""
        state = {name: value.detach().clone() for name, value in state.items()}
        state = {name: value.float() if value.dtype == torch.float64 else value for name, value in state.items()}
        self.file = suffix, ({wrapper: state, "epoch": 3, "args": {"lr": 0.1}} if wrapper else state)

    def check(self, model: nn.Module, ours: dict, start: dict | None = None, channels: int = 3, side: int = SIDE):
        """Logits of timm's model for images."""
        images = torch.randn(BATCH, channels, side, side, generator=self.random)
        with torch.no_grad():
            logits = model.eval()(images.double())
        images = images.permute(0, 2, 3, 1)
        shape = {"imageSize": side, "channels": channels, "classes": logits.shape[1]}
        self.add({"model": ours, **shape}, {"images": images, "logits": logits}, start)

    def add(self, about: dict, tensors: dict, start: dict | None) -> None:
        at = len(self.checks)
        self.checks.append(about)
        tensors |= {f"start/{name}": value for name, value in (start or {}).items()}
        for name, value in tensors.items():
            value = value.detach()
            value = value.float() if value.is_floating_point() else value.int()
            self.tensors[f"{at}.{name}"] = value.clone().contiguous()

    def write(self, out: Path, name: str) -> Path:
        suffix, content = self.file
        file = out / f"{name}.{suffix}"
        if suffix == "safetensors":
            save_file({n: t.contiguous() for n, t in content.items()}, file)
        else:
            torch.save(content, file)
        save_file(self.tensors, out / f"{name}.expected", {"checks": json.dumps(self.checks)})
        return file

    def lively(self, model: nn.Module) -> nn.Module:
        """Values at which everything matters, exact in float32."""
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                value.copy_(self.values(name, value.shape))
        return model.double()

    def values(self, name: str, shape: tuple) -> torch.Tensor:
        noise = torch.randn(shape, generator=self.random)
        if name.endswith("running_var"):
            return (0.3 * noise).exp()
        if re.search(r"gamma|lambda_", name):
            return 0.6 + 0.2 * noise
        if noise.ndim == 1 and name.endswith("weight"):
            return 1 + 0.2 * noise  # of a norm
        if re.search(r"embed|token|table", name) and "proj" not in name:
            return 0.5 * noise
        if noise.ndim < 2:
            return 0.3 * noise
        return noise / noise[0].numel() ** 0.5

    def random_state(self, shapes: dict) -> dict:
        return {name: self.values(name, shape) for name, shape in shapes.items()}


def vit(form: str, **changes) -> nn.Module:
    return FORMS[form](**{**TINY, **changes})


def of_other_side(model: nn.Module, form: str, side: int) -> nn.Module:
    """The model for images of another side: what it has of positions is resized."""
    other = vit(form, img_size=side).double()
    grid = (side // PATCH,) * 2
    state = model.state_dict()
    if "pos_embed" in state:
        prefix = 0 if form == "deit3" else 1
        state["pos_embed"] = resample_abs_pos_embed(
            state["pos_embed"], grid, num_prefix_tokens=prefix, antialias=False
        )
    for name, shape in [(n, v.shape) for n, v in other.state_dict().items() if n.endswith("bias_table")]:
        state[name] = resize_rel_pos_bias_table(state[name], grid, shape)
    other.load_state_dict(state)
    return other


def check_vit(case: Case, model: nn.Module, form: str, start: tuple = ()) -> None:
    """At the side of the file, and at others. `start`: prefixes of what the file lacks."""
    ours = {**OURS, "form": form}
    stand_in = {name: value for name, value in model.state_dict().items() if start and name.startswith(start)}
    case.check(model, ours, stand_in)
    for side in OTHER_SIDES:
        case.check(of_other_side(model, form, side), ours, stand_in, side=side)


def without(state: dict, *prefixes: str) -> dict:
    return {name: value for name, value in state.items() if not name.startswith(prefixes)}


def renamed(state: dict, *rules: tuple) -> dict:
    result = {}
    for name, value in state.items():
        for pattern, to in rules:
            name = re.sub(pattern, to, name)
        result[name] = value
    return result


def timm_form(form: str, suffix: str):
    def make(case: Case) -> None:
        model = case.lively(vit(form))
        case.saved(suffix, model.state_dict())
        check_vit(case, model, form)

    return make


def deit3(case: Case) -> None:
    model = case.lively(vit("deit3"))
    case.saved("pth", renamed(model.state_dict(), (r"ls([12])\.gamma", r"gamma_\1")), "model")
    check_vit(case, model, "deit3")


def mae_finetuned(case: Case) -> None:
    model = case.lively(vit("mae"))
    case.saved("pth", model.state_dict(), "model")
    check_vit(case, model, "mae")


def mae_encoder(case: Case) -> dict:
    """Saves what pre-training leaves of the encoder, and returns it."""
    model = case.lively(vit("mae"))
    norm = case.random_state({"norm.weight": (WIDTH,), "norm.bias": (WIDTH,)})
    state = {**without(model.state_dict(), "fc_norm", "head"), **norm}
    case.saved("safetensors", state)
    check_vit(case, model, "mae", ("fc_norm", "head"))
    # Where the class token is pooled, the norm of pre-training stays.
    of_token = vit("mae", global_pool="token").double()
    head = {name: value for name, value in model.state_dict().items() if name.startswith("head")}
    of_token.load_state_dict({**state, **head})
    case.check(of_token, {**OURS, "form": "mae", "pool": "token"}, head)
    return state


def mae_pretrained(case: Case) -> None:
    width, tokens = 8, (SIDE // PATCH) ** 2 + 1
    shapes = {
        "mask_token": (1, 1, width),
        "decoder_pos_embed": (1, tokens, width),
        "decoder_embed.weight": (width, WIDTH),
        "decoder_embed.bias": (width,),
        "decoder_blocks.0.norm1.weight": (width,),
        "decoder_blocks.0.attn.qkv.weight": (3 * width, width),
        "decoder_blocks.0.mlp.fc1.bias": (2 * width,),
        "decoder_norm.weight": (width,),
        "decoder_pred.weight": (PATCH * PATCH * 3, width),
    }
    case.saved("pth", {**mae_encoder(case), **case.random_state(shapes)}, "model")


def position_index() -> torch.Tensor:
    return gen_relative_position_index((SIDE // PATCH,) * 2, class_token=True)


def beit2_pretrained(case: Case) -> None:
    model = case.lively(vit("beit"))
    table = model.blocks[0].attn.relative_position_bias_table
    for block in model.blocks:
        block.attn.relative_position_bias_table.data.copy_(table)
    state = without(model.state_dict(), "fc_norm", "head", *[f"blocks.{i}.attn.rel" for i in range(DEPTH)])
    shapes = {
        "mask_token": (1, 1, WIDTH),
        "norm.weight": (WIDTH,),
        "norm.bias": (WIDTH,),
        "lm_head.weight": (32, WIDTH),
        "lm_head.bias": (32,),
        "cls_pt_layers.0.norm1.weight": (WIDTH,),
        "cls_pt_layers.0.attn.qkv.weight": (3 * WIDTH, WIDTH),
    }
    state |= {
        "rel_pos_bias.relative_position_bias_table": table,
        "rel_pos_bias.relative_position_index": position_index(),
        **case.random_state(shapes),
    }
    case.saved("pth", state, "model")
    check_vit(case, model, "beit", ("fc_norm", "head"))


def beit2_finetuned(case: Case) -> None:
    model = case.lively(vit("beit"))
    indices = {f"blocks.{i}.attn.relative_position_index": position_index() for i in range(DEPTH)}
    case.saved("pth", {**model.state_dict(), **indices}, "module")
    check_vit(case, model, "beit")


BEIT_NAMES = (
    (r"^(cls_token)$", r"embeddings.\1"),
    (r"^patch_embed\.proj", "embeddings.patch_embeddings.projection"),
    (r"^fc_norm", "pooler.layernorm"),
    (r"^blocks\.(\d+)\.gamma_", r"layers.\1.lambda_"),
    (r"^blocks\.(\d+)\.norm1", r"layers.\1.layernorm_before"),
    (r"^blocks\.(\d+)\.norm2", r"layers.\1.layernorm_after"),
    (r"^blocks\.(\d+)\.attn\.(relative_position_bias_table)", r"layers.\1.relative_position_bias.\2"),
    (r"^blocks\.(\d+)\.attn\.proj", r"layers.\1.attention.o_proj"),
    (r"^blocks\.(\d+)\.attn\.([qv])_bias", r"layers.\1.attention.\2_proj.bias"),
    (r"^blocks\.(\d+)\.attn", r"layers.\1.attention"),
    (r"^blocks\.(\d+)\.mlp", r"layers.\1.mlp"),
)
# From transformers 5 to the names of the files that are published.
OLDER_BEIT_NAMES = (
    (r"^layers\.(\d+)\.relative_position_bias", r"layers.\1.attention.attention.relative_position_bias"),
    (r"attention\.q_proj", "attention.attention.query"),
    (r"attention\.k_proj", "attention.attention.key"),
    (r"attention\.v_proj", "attention.attention.value"),
    (r"attention\.o_proj", "attention.output.dense"),
    (r"mlp\.fc1", "intermediate.dense"),
    (r"mlp\.fc2", "output.dense"),
    (r"^layers", "encoder.layer"),
)


def split_qkv(state: dict) -> dict:
    result = {}
    for name, value in state.items():
        if ".qkv." not in name:
            result[name] = value
            continue
        for part, rows in zip("qkv", value.chunk(3)):
            result[name.replace(".qkv.", f".{part}_proj.")] = rows
    return result


def transformers_sizes() -> dict:
    return {
        "image_size": SIDE,
        "patch_size": PATCH,
        "hidden_size": WIDTH,
        "num_hidden_layers": DEPTH,
        "num_attention_heads": HEADS,
        "intermediate_size": 2 * WIDTH,
    }


def beit_state(case: Case) -> tuple[nn.Module, dict]:
    """timm's model, and transformers' model with the same weights, which takes them strictly."""
    from transformers import BeitConfig, BeitModel

    model = case.lively(vit("beit"))
    config = BeitConfig(**transformers_sizes(), use_relative_position_bias=True, layer_norm_eps=1e-6)
    theirs = BeitModel(config)
    theirs.load_state_dict(split_qkv(renamed(without(model.state_dict(), "head"), *BEIT_NAMES)), strict=True)
    return model, theirs.state_dict()


def beit_transformers(case: Case) -> None:
    model, state = beit_state(case)
    case.saved("safetensors", state)
    check_vit(case, model, "beit", ("head",))


def beit_transformers_older(case: Case) -> None:
    model, state = beit_state(case)
    state = {f"beit.{name}": value for name, value in renamed(state, *OLDER_BEIT_NAMES).items()}
    state |= {"beit.embeddings.mask_token": torch.ones(1, 1, WIDTH)}
    head = without(renamed(model.state_dict(), (r"^head\.", "classifier.")), "blocks", "cls_", "patch", "fc_norm")
    case.saved("bin", {**state, **head})
    check_vit(case, model, "beit")


CLIP_NAMES = (
    (r"^cls_token", "visual.class_embedding"),
    (r"^pos_embed", "visual.positional_embedding"),
    (r"^patch_embed\.proj", "visual.conv1"),
    (r"^norm_pre", "visual.ln_pre"),
    (r"^norm\.", "visual.ln_post."),
    (r"^blocks", "visual.transformer.resblocks"),
    (r"\.norm([12])", r".ln_\1"),
    (r"attn\.qkv\.", "attn.in_proj_"),
    (r"attn\.proj", "attn.out_proj"),
    (r"mlp\.fc1", "mlp.c_fc"),
    (r"mlp\.fc2", "mlp.c_proj"),
)


def clip_openai(case: Case) -> None:
    model = case.lively(vit("clip"))
    # Published in 16 bits but for norms and embeddings.
    for parameter in model.parameters():
        parameter.data.copy_(parameter.half())
    state = renamed(without(model.state_dict(), "head"), *CLIP_NAMES)
    state["visual.class_embedding"] = state["visual.class_embedding"].flatten()
    state["visual.positional_embedding"] = state["visual.positional_embedding"][0]
    shapes = {
        "visual.proj": (WIDTH, 8),
        "positional_embedding": (7, 8),
        "text_projection": (8, 8),
        "logit_scale": (),
        "token_embedding.weight": (20, 8),
        "transformer.resblocks.0.attn.in_proj_weight": (24, 8),
        "transformer.resblocks.0.ln_1.weight": (8,),
        "ln_final.weight": (8,),
    }
    state |= case.random_state(shapes)
    state = {name: value if "ln_" in name else value.half() for name, value in state.items()}
    state |= {"input_resolution": torch.tensor(SIDE), "context_length": torch.tensor(7), "vocab_size": torch.tensor(20)}
    case.saved("pt", state)
    check_vit(case, model, "clip", ("head",))


CLIP_NAMES_OF_TRANSFORMERS = (
    (r"^cls_token", "embeddings.class_embedding"),
    (r"^pos_embed", "embeddings.position_embedding.weight"),
    (r"^patch_embed\.proj", "embeddings.patch_embedding"),
    (r"^norm_pre", "pre_layrnorm"),
    (r"^norm\.", "post_layernorm."),
    (r"^blocks\.(\d+)\.norm", r"encoder.layers.\1.layer_norm"),
    (r"^blocks\.(\d+)\.attn\.proj", r"encoder.layers.\1.self_attn.out_proj"),
    (r"^blocks\.(\d+)\.attn", r"encoder.layers.\1.self_attn"),
    (r"^blocks\.(\d+)\.mlp", r"encoder.layers.\1.mlp"),
)


def clip_transformers(whole: bool, suffix: str):
    def make(case: Case) -> None:
        from transformers import CLIPConfig, CLIPModel, CLIPVisionConfig, CLIPVisionModel

        model = case.lively(vit("clip"))
        state = split_qkv(renamed(without(model.state_dict(), "head"), *CLIP_NAMES_OF_TRANSFORMERS))
        state["embeddings.class_embedding"] = state["embeddings.class_embedding"].flatten()
        state["embeddings.position_embedding.weight"] = state["embeddings.position_embedding.weight"][0]
        vision = CLIPVisionConfig(**transformers_sizes())
        theirs = CLIPVisionModel(vision)
        theirs.load_state_dict(state, strict=True)
        if whole:
            text = dict(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
            text |= dict(bos_token_id=0, eos_token_id=1)
            both = CLIPModel(CLIPConfig(text_config=text, vision_config=vision.to_dict(), projection_dim=8))
            both.vision_model.load_state_dict(state, strict=True)
            theirs = both
        case.saved(suffix, theirs.state_dict())
        check_vit(case, model, "clip", ("head",))

    return make


SWIN = dict(patch_size=2, num_classes=CLASSES, embed_dim=8, depths=[2, 2], num_heads=[1, 2], mlp_ratio=2)
OUR_SWIN = dict(name="swin", patchSize=2, width=8, blocks=[2, 2], heads=[1, 2], mlpRatio=2, maskPatch=4)


def swin_of(side: int, window: int) -> nn.Module:
    return SwinTransformer(img_size=side, window_size=window, **SWIN)


def check_swin(case: Case, model: nn.Module) -> None:
    """With windows of 4 on 16 × 16 tokens and 8 × 8, and with larger and smaller ones."""
    mask_token = {"mask_token": torch.zeros(1, 1, SWIN["embed_dim"])}
    case.check(model, {**OUR_SWIN, "window": 4}, mask_token, side=32)
    for side, window in ((24, 6), (16, 2)):
        other = swin_of(side, window).double()
        state = model.state_dict()
        for name, value in other.state_dict().items():
            if name.endswith("bias_table"):
                state[name] = resize_rel_pos_bias_table_simple(state[name], (window, window), value.shape)
        other.load_state_dict(state)
        case.check(other, {**OUR_SWIN, "window": window}, mask_token, side=side)


def swin_timm(case: Case) -> None:
    model = case.lively(swin_of(32, 4))
    case.saved("safetensors", model.state_dict())
    check_swin(case, model)


def swin_microsoft(case: Case) -> None:
    model = case.lively(swin_of(32, 4))
    state = renamed(
        model.state_dict(),
        (r"^layers\.(\d+)\.downsample", lambda found: f"layers.{int(found[1]) - 1}.downsample"),
        (r"^head\.fc", "head"),
    )
    index = gen_relative_position_index((4, 4))
    for stage in range(2):
        state |= {f"layers.{stage}.blocks.{i}.attn.relative_position_index": index for i in range(2)}
    state["layers.0.blocks.1.attn_mask"] = torch.zeros(16, 16, 16)
    case.saved("pth", state, "model")
    check_swin(case, model)


def resnet(suffix: str):
    def make(case: Case) -> None:
        model = case.lively(ResNet(Bottleneck, [1, 2, 1, 1], channels=[4, 4, 8, 8], num_classes=CLASSES))
        case.saved(suffix, model.state_dict())
        ours = dict(name="resnet", blocks=[1, 2, 1, 1], channels=[4, 4, 8, 8], maskPatch=32)
        for side in (32, 64):
            case.check(model, ours, side=side)

    return make


def other_data(case: Case) -> None:
    """One file for other classes, and for images of one, two and four channels."""
    model = case.lively(vit("mae"))
    case.saved("safetensors", model.state_dict())
    state = model.state_dict()
    for channels in (1, 2, 4):
        other = vit("mae", in_chans=channels, num_classes=7).double()
        start = case.random_state({"head.weight": (7, WIDTH), "head.bias": (7,)})
        weight = adapt_input_conv(channels, state["patch_embed.proj.weight"])
        other.load_state_dict({**state, **start, "patch_embed.proj.weight": weight})
        case.check(other, {**OURS, "form": "mae"}, start, channels=channels)


def bert(build: str, suffix: str, change=lambda state: state, start: tuple = ()):
    """The class of transformers that is saved; `start`: prefixes of what the file lacks."""

    def make(case: Case) -> None:
        import transformers

        positions, length = 12, 8
        config = transformers.BertConfig(
            vocab_size=20,
            max_position_embeddings=positions,
            hidden_size=WIDTH,
            num_hidden_layers=DEPTH,
            num_attention_heads=HEADS,
            intermediate_size=2 * WIDTH,
            num_labels=CLASSES,
        )
        model = case.lively(transformers.BertForSequenceClassification(config)).eval()
        theirs = getattr(transformers, build)(config)
        backbone = theirs if build == "BertModel" else theirs.bert
        backbone.load_state_dict(model.bert.state_dict(), strict=False)
        if hasattr(theirs, "classifier"):
            theirs.classifier.load_state_dict(model.classifier.state_dict())
        case.saved(suffix, change(theirs.state_dict()))

        ids = torch.randint(0, 20, (BATCH, length), generator=case.random)
        types = torch.randint(0, 2, (BATCH, length), generator=case.random)
        present = torch.ones(BATCH, length)
        present[1, 5:] = 0
        with torch.no_grad():
            logits = model(input_ids=ids, token_type_ids=types, attention_mask=present.long()).logits
        ours = dict(name="bert", width=WIDTH, depth=DEPTH, heads=HEADS, mlpRatio=2, vocabulary=20)
        stand_in = {name: value for name, value in model.state_dict().items() if start and name.startswith(start)}
        for kept in (positions, length):
            about = {"model": {**ours, "positions": kept}, "length": length, "classes": CLASSES}
            case.add(about, {"ids": ids, "types": types, "present": present, "logits": logits}, stand_in)

    return make


def with_older_norms(state: dict) -> dict:
    state = renamed(state, (r"LayerNorm\.weight", "LayerNorm.gamma"), (r"LayerNorm\.bias", "LayerNorm.beta"))
    return {**state, "bert.embeddings.position_ids": torch.arange(12)[None]}


SIDES = ((14, 24), (14, 7), (7, 4), (1, 3), (27, 47), (27, 13), (13, 23), (7, 9), (3, 63))


def write_resizing(file: Path, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    tensors = {}
    for at, (old, new) in enumerate(SIDES):
        table = torch.randn(old * old, 3, generator=random)
        grid = table.T.reshape(1, 3, old, old).double()
        resized = nn.functional.interpolate(grid, (new, new), mode="bicubic", align_corners=False)
        tensors |= {f"{at}.from": table, f"{at}.to": resized[0].flatten(1).T.float().contiguous()}
        if old % 2 and new % 2:
            window = (new + 1) // 2
            tensors[f"{at}.offsets"] = resize_rel_pos_bias_table(table, (window, window), (new * new, 3))
    save_file(tensors, file, {"tables": json.dumps(SIDES)})


CASES = {
    "timm-deit3": timm_form("deit3", "safetensors"),
    "timm-mae": timm_form("mae", "pth"),
    "timm-clip": timm_form("clip", "safetensors"),
    "timm-beit": timm_form("beit", "pth"),
    "deit3": deit3,
    "mae-finetuned": mae_finetuned,
    "mae-pretrained": mae_pretrained,
    "mae-encoder": mae_encoder,
    "beit2-pretrained": beit2_pretrained,
    "beit2-finetuned": beit2_finetuned,
    "beit-transformers": beit_transformers,
    "beit-transformers-older": beit_transformers_older,
    "clip-openai": clip_openai,
    "clip-transformers": clip_transformers(False, "safetensors"),
    "clip-transformers-whole": clip_transformers(True, "bin"),
    "swin-timm": swin_timm,
    "swin-microsoft": swin_microsoft,
    "resnet-timm": resnet("safetensors"),
    "resnet-torchvision": resnet("pth"),
    "other-data": other_data,
    "bert-classifier": bert("BertForSequenceClassification", "bin"),
    "bert-pretraining": bert("BertForPreTraining", "bin", with_older_norms, ("classifier",)),
    "bert-plain": bert("BertModel", "safetensors", start=("classifier",)),
    "bert-without-pooler": bert(
        "BertModel", "safetensors", lambda state: without(state, "pooler"), ("classifier", "bert.pooler")
    ),
}


if __name__ == "__main__":
    main()
