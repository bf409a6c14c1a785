"""Times training steps in PyTorch, for comparison with the engine's step.

The task is a JSON object in the first argument, as for stepWorker.ts, with besides:
    mode       "eager" or "compiled" (torch.compile)
    precision  "float32" or "bfloat16" (autocast)
    device     "cpu" or "cuda"
    threads
What was measured goes to standard output; {"failed": reason} where torch.compile doesn't work, or a library is missing.
"""

import json
import math
import resource
import sys
import time

import torch
from step_models import Missing, build
from torch.nn import functional as F

BATCHES = 4


def gradients(model, method, cast, target, mask, *inputs):
    """Adds the gradient of the loss to the parameters' and returns the loss.

    The main branch is through before the sub-branch starts: as fast as one pass over the sum, and only one of them
    keeps its activations at a time.
    """
    with cast():
        logits = model(*inputs)
        main = F.cross_entropy(logits, target)
    if method == "baseline":
        main.backward()
        return main
    (0.5 * main).backward()
    with cast():
        sub = F.cross_entropy(model(*inputs, mask=mask), logits.detach().softmax(-1))
    (0.5 * sub).backward()
    return 0.5 * main.detach() + 0.5 * sub.detach()


def batches_of(work, network):
    """Target, mask and inputs as host arrays, as a data loader would hand them over."""
    generator = torch.Generator().manual_seed(0)
    classes, batch = work["classes"], work["batchSize"]
    for _ in range(BATCHES):
        target = F.one_hot(torch.randint(classes, (batch,), generator=generator), classes).float()
        mask = network.mask(batch, work["maskRatio"], generator)
        yield [tensor.numpy() for tensor in (target, mask, *network.inputs(batch, generator))]


def measure(task):
    work, device = task["work"], task["device"]
    [lane] = task["lanes"]
    torch.manual_seed(0)
    torch.set_num_threads(task["threads"])
    if device == "cuda":
        torch.set_float32_matmul_precision("high")
    network = build(work).to(device)
    model = torch.compile(network, dynamic=False) if task["mode"] == "compiled" else network
    parameters = list(network.parameters())
    matrices = [p for p in parameters if p.ndim > 1]
    others = [p for p in parameters if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-4, fused=True)
    batches = list(batches_of(work, network))
    loaded = rss()

    def cast():
        return torch.autocast(device, dtype=torch.bfloat16, enabled=task["precision"] == "bfloat16")

    def step(i):
        batch = [torch.from_numpy(array).clone().to(device) for array in batches[i % BATCHES]]
        optimizer.zero_grad(set_to_none=True)
        loss = gradients(model, lane["method"], cast, *batch)
        optimizer.step()
        value = loss.item()
        if not math.isfinite(value):
            raise ArithmeticError(f"The loss is {value}.")
        return value

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
    except Missing as missing:
        result = {"failed": str(missing)}
    except Exception as error:
        if task["mode"] != "compiled":
            raise
        result = {"failed": f"{type(error).__name__}: {error}".splitlines()[0]}
    print(json.dumps(result))


def rss():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


main()
