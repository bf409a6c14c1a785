"""Times training steps of a small Vision Transformer in PyTorch, for comparison with the engine's eager step.

The task is a JSON object in the first argument, as for stepWorker.ts; what was measured goes to standard output.
Written for this benchmark: pre-norm ViT, Dosovitskiy et al. 2021 (https://arxiv.org/abs/2010.11929), with layer scale.
"""

import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

BATCHES = 4


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


class VisionTransformer(nn.Module):
    def __init__(self, work):
        super().__init__()
        model = work["model"]
        width, patch = model["width"], model["patchSize"]
        self.tokens = (work["imageSize"] // patch) ** 2
        self.embed = nn.Conv2d(work["channels"], width, patch, stride=patch)
        self.position = nn.Parameter(torch.randn(1, self.tokens, width) * 0.02)
        self.token = nn.Parameter(torch.randn(1, 1, width) * 0.02) if model["pool"] == "token" else None
        hidden = round(width * model["mlpRatio"])
        self.blocks = nn.Sequential(
            *(Block(width, model["heads"], hidden, model["layerScale"]) for _ in range(model["depth"]))
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, work["classes"])

    def forward(self, images, keep=None):
        x = self.embed(images).flatten(2).transpose(1, 2) + self.position  # (B, L, D)
        if keep is not None:
            x = x.gather(1, keep.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
        if self.token is not None:
            x = torch.cat([self.token.expand(len(x), -1, -1), x], 1)
        x = self.blocks(x)
        x = x[:, 0] if self.token is not None else x.mean(1)
        return self.head(self.norm(x))


def loss_of(model, method, images, target, keep):
    logits = model(images)
    main = F.cross_entropy(logits, target)
    if method == "baseline":
        return main
    sub = F.cross_entropy(model(images, keep), logits.detach().softmax(-1))
    return 0.5 * main + 0.5 * sub


def batches_of(work, tokens):
    """Host arrays, as a data loader would hand them over."""
    generator = torch.Generator().manual_seed(0)
    size, batch, classes = work["imageSize"], work["batchSize"], work["classes"]
    kept = int(tokens * (1 - work["maskRatio"]))
    for _ in range(BATCHES):
        images = torch.randn(batch, work["channels"], size, size, generator=generator).numpy()
        labels = torch.randint(classes, (batch,), generator=generator)
        keep = torch.rand(batch, tokens, generator=generator).argsort(1)[:, :kept]
        yield images, F.one_hot(labels, classes).float().numpy(), keep.numpy()


def main():
    task = json.loads(sys.argv[1])
    work = task["work"]
    [lane] = task["lanes"]
    torch.manual_seed(0)
    torch.set_num_threads(task["threads"])
    model = VisionTransformer(work)
    parameters = list(model.parameters())
    matrices = [p for p in parameters if p.ndim > 1]
    others = [p for p in parameters if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-4)
    batches = list(batches_of(work, model.tokens))
    loaded = rss()

    def step(i):
        images, target, keep = (torch.from_numpy(array).clone() for array in batches[i % BATCHES])
        loss = loss_of(model, lane["method"], images, target, keep)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    for i in range(work["warmup"]):
        step(i)
    times = []
    cpu = time.process_time()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    began = time.perf_counter()
    for i in range(work["steps"]):
        at = time.perf_counter()
        step(i)
        times.append((time.perf_counter() - at) * 1e3)
    result = {
        "version": torch.__version__,
        "parameters": sum(p.numel() for p in parameters),
        "times": [times],
        "wallMs": (time.perf_counter() - began) * 1e3,
        "cpuMs": (time.process_time() - cpu) * 1e3,
        "allCpuMs": time.process_time() * 1e3,
        "pageFaults": resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults,
        "loadedBytes": loaded,
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(result))


def rss():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


main()
