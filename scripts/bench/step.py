"""Times training steps of a Vision Transformer in PyTorch, for comparison with the engine's step.

The task is a JSON object in the first argument, as for stepWorker.ts, with besides:
    mode       "eager" or "compiled" (torch.compile)
    precision  "float32" or "bfloat16" (autocast)
    device     "cpu" or "cuda"
    threads
What was measured goes to standard output; {"failed": reason} where torch.compile doesn't work.
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


def gradients(model, method, cast, images, target, keep):
    """Adds the gradient of the loss to the parameters' and returns the loss.

    The main branch is through before the sub-branch starts: as fast as one pass over the sum, and only one of them
    keeps its activations at a time.
    """
    with cast():
        logits = model(images)
        main = F.cross_entropy(logits, target)
    if method == "baseline":
        main.backward()
        return main
    (0.5 * main).backward()
    with cast():
        sub = F.cross_entropy(model(images, keep), logits.detach().softmax(-1))
    (0.5 * sub).backward()
    return 0.5 * main.detach() + 0.5 * sub.detach()


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


def measure(task):
    work, device = task["work"], task["device"]
    [lane] = task["lanes"]
    torch.manual_seed(0)
    torch.set_num_threads(task["threads"])
    if device == "cuda":
        torch.set_float32_matmul_precision("high")
    network = VisionTransformer(work).to(device)
    model = torch.compile(network, dynamic=False) if task["mode"] == "compiled" else network
    parameters = list(network.parameters())
    matrices = [p for p in parameters if p.ndim > 1]
    others = [p for p in parameters if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-4, fused=True)
    batches = list(batches_of(work, network.tokens))
    loaded = rss()

    def cast():
        return torch.autocast(device, dtype=torch.bfloat16, enabled=task["precision"] == "bfloat16")

    def step(i):
        batch = [torch.from_numpy(array).clone().to(device) for array in batches[i % BATCHES]]
        optimizer.zero_grad(set_to_none=True)
        loss = gradients(model, lane["method"], cast, *batch)
        optimizer.step()
        return loss.item()

    began = time.perf_counter()
    step(0)
    first = (time.perf_counter() - began) * 1e3
    for i in range(1, work["warmup"]):
        step(i)
    times = []
    cpu = time.process_time()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    began = time.perf_counter()
    for i in range(work["steps"]):
        at = time.perf_counter()
        step(i)
        times.append((time.perf_counter() - at) * 1e3)
    wall = time.perf_counter() - began
    own = resource.getrusage(resource.RUSAGE_SELF)
    compilers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "parameters": sum(p.numel() for p in parameters),
        "times": [times],
        "firstMs": first,
        "wallMs": wall * 1e3,
        "cpuMs": (time.process_time() - cpu) * 1e3,
        "allCpuMs": sum(used.ru_utime + used.ru_stime for used in (own, compilers)) * 1e3,
        "pageFaults": own.ru_minflt - faults,
        "loadedBytes": loaded,
        "peakBytes": own.ru_maxrss * 1024,
    }


def main():
    task = json.loads(sys.argv[1])
    try:
        result = measure(task)
    except Exception as error:
        if task["mode"] != "compiled":
            raise
        result = {"failed": f"{type(error).__name__}: {error}".splitlines()[0]}
    print(json.dumps(result))


def rss():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


main()
