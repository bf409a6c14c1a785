"""The models that step.py times, each with its synthetic inputs and what its masked branch does.

A model has `inputs(batch, generator)`, what its forward pass takes; `mask(batch, ratio, generator)`, for the masked
branch; and `forward(*inputs, mask=None)`, the logits. The ViT is written for this benchmark, the others are those of
timm and transformers.
"""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.append(str(Path(__file__).parents[1] / "reference"))
from mend_torchvision import mend_torchvision  # noqa: E402

# Of BERT: what transformers chooses by itself. The other one is "eager".
ATTENTION = "sdpa"


class Missing(Exception):
    """A library that the model is from is not there."""


def build(work):
    model = {"vit": VisionTransformer, "resnet": ResNet, "swin": Swin, "bert": Bert}[work["model"]["name"]]
    try:
        return model(work)
    except ImportError as error:
        raise Missing(f"Its model is not in the Python to compare with: {error}") from error


class ImageModel(nn.Module):
    """Sees images. Patches of its masked branch are removed or hidden."""

    def __init__(self, work, patch):
        super().__init__()
        self.shape = (work["channels"], work["imageSize"], work["imageSize"])
        self.side = work["imageSize"] // patch
        self.patches = self.side**2

    def inputs(self, batch, generator):
        return (torch.randn(batch, *self.shape, generator=generator),)

    def order(self, batch, generator):
        return torch.rand(batch, self.patches, generator=generator).argsort(1)


class HidingModel(ImageModel):
    """Keeps every patch; those of 32 × 32 pixels that the masked branch must not see are hidden."""

    PATCH = 32

    def __init__(self, work):
        super().__init__(work, self.PATCH)

    def mask(self, batch, ratio, generator):
        """1 for a hidden patch, (B, rows, columns)."""
        kept = int(self.patches * (1 - ratio))
        return (self.order(batch, generator) >= kept).float().reshape(batch, self.side, self.side)


class Block(nn.Module):
    def __init__(self, width, heads, hidden, layer_scale):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.scale1 = nn.Parameter(torch.full((width,), float(layer_scale)))
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.scale2 = nn.Parameter(torch.full((width,), float(layer_scale)))

    def forward(self, x):
        batch, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, H, T, D/H)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, width)
        x = x + self.scale1 * self.proj(mixed)
        return x + self.scale2 * self.fc2(F.gelu(self.fc1(self.norm2(x))))


class VisionTransformer(ImageModel):
    """Pre-norm, with layer scale. Dosovitskiy et al. 2021 (https://arxiv.org/abs/2010.11929)."""

    def __init__(self, work):
        model = work["model"]
        width, patch = model["width"], model["patchSize"]
        super().__init__(work, patch)
        self.embed = nn.Conv2d(work["channels"], width, patch, stride=patch)
        self.position = nn.Parameter(torch.randn(1, self.patches, width) * 0.02)
        self.token = nn.Parameter(torch.randn(1, 1, width) * 0.02) if model["pool"] == "token" else None
        hidden = round(width * model["mlpRatio"])
        self.blocks = nn.Sequential(
            *(Block(width, model["heads"], hidden, model["layerScale"]) for _ in range(model["depth"]))
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, work["classes"])

    def mask(self, batch, ratio, generator):
        """Indices of the kept patches, (B, K)."""
        return self.order(batch, generator)[:, : int(self.patches * (1 - ratio))].contiguous()

    def forward(self, images, mask=None):
        x = self.embed(images).flatten(2).transpose(1, 2) + self.position  # (B, L, D)
        if mask is not None:
            x = take(x, mask)
        if self.token is not None:
            x = torch.cat([self.token.expand(len(x), -1, -1), x], 1)
        x = self.blocks(x)
        x = x[:, 0] if self.token is not None else x.mean(1)
        return self.head(self.norm(x))


class ResNet(HidingModel):
    """timm's; hidden patches of the images are zero."""

    def __init__(self, work):
        super().__init__(work)
        self.net = import_timm().create_model(
            f"resnet{work['model']['size']}", num_classes=work["classes"], in_chans=work["channels"]
        )

    def forward(self, images, mask=None):
        if mask is not None:
            images = images * (1 - enlarge(mask, self.PATCH)).unsqueeze(1)
        return self.net(images)


class Swin(HidingModel):
    """timm's, without drop-path; a learned token replaces the embedding of hidden patches."""

    NAMES = {"t": "tiny", "s": "small", "b": "base"}

    def __init__(self, work):
        super().__init__(work)
        self.net = import_timm().create_model(
            f"swin_{self.NAMES[work['model']['size']]}_patch4_window7_224",
            num_classes=work["classes"],
            in_chans=work["channels"],
            img_size=work["imageSize"],
            drop_path_rate=0.0,
        )
        self.mask_token = nn.Parameter(torch.randn(self.net.embed_dim) * 0.02)

    def forward(self, images, mask=None):
        x = self.net.patch_embed(images)  # (B, S, S, D)
        if mask is not None:
            x = torch.where(enlarge(mask, x.shape[1] // self.side).unsqueeze(-1) > 0, self.mask_token.to(x.dtype), x)
        return self.net.forward_head(self.net.norm(self.net.layers(x)))


class Bert(nn.Module):
    """transformers' for sequence classification; the masked branch removes tokens after the embedding."""

    def __init__(self, work):
        super().__init__()
        mend_torchvision()
        from transformers import BertConfig, BertForSequenceClassification

        if work["model"]["size"] != "base":
            raise ValueError("BertConfig's defaults are the size base.")
        self.length = work["length"]
        self.net = BertForSequenceClassification(
            BertConfig(
                num_labels=work["classes"],
                hidden_dropout_prob=work["model"]["dropout"],
                attention_probs_dropout_prob=0.0,
                attn_implementation=ATTENTION,
            )
        )

    def inputs(self, batch, generator):
        """Token ids, segments, and where there is a token: half of the places to all of them."""
        shape = (batch, self.length)
        ids = torch.randint(self.net.config.vocab_size, shape, generator=generator)
        types = torch.randint(2, shape, generator=generator)
        lengths = torch.randint(self.length // 2, self.length + 1, (batch, 1), generator=generator)
        return ids, types, torch.arange(self.length) < lengths

    def mask(self, batch, ratio, generator):
        """Indices of the kept tokens, [CLS] first, (B, K)."""
        kept = int(self.length * (1 - ratio))
        order = 1 + torch.rand(batch, self.length - 1, generator=generator).argsort(1)
        return F.pad(order, (1, 0))[:, :kept].contiguous()

    def forward(self, ids, types, present, mask=None):
        bert = self.net.bert
        x = bert.embeddings(input_ids=ids, token_type_ids=types)  # (B, T, D)
        if mask is not None:
            x = take(x, mask)
            present = present.gather(1, mask)
        x = bert.encoder(x, attention_mask=present[:, None, None, :]).last_hidden_state
        return self.net.classifier(self.net.dropout(bert.pooler(x)))


def take(x, keep):
    """The kept tokens of each sample. x (B, T, D), keep (B, K) → (B, K, D)."""
    return x.gather(1, keep.unsqueeze(-1).expand(-1, -1, x.shape[-1]))


def enlarge(grid, factor):
    """Each cell becomes factor × factor. (B, S, S) → (B, S·factor, S·factor)."""
    return grid.repeat_interleave(factor, 1).repeat_interleave(factor, 2)


def import_timm():
    mend_torchvision()
    import timm

    return timm
