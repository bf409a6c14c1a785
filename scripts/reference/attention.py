"""The last block's attention over the patches, by timm's own modules in float64, of what forms.py wrote; and BERT's.

    python scripts/reference/attention.py test/parity/forms > test/parity/forms/attention.json
    python scripts/reference/attention.py OUT
    python scripts/reference/attention.py --bert FILE

Needs torch, timm 1.0 and safetensors, for BERT transformers 5. Prints JSON: of each file of OUT by its form `token`, what the class token gives
the patches, and `mean`, what the patches get of each other on average (for deit3: without a class token), both averaged
over heads, (B, L). FILE gets `param/<name>` of a random BERT, `ids`, `types` and `present` (B, T), and `attention`: what
[CLS] gives the tokens, (B, T).
"""

import argparse
import json
from pathlib import Path

import torch
from forms import FORMS, TINY
from safetensors.torch import load_file, save_file
from torch import nn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--bert", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    if arguments.bert:
        save_file(bert(), arguments.bert)
    if not arguments.folder:
        return
    files = sorted(arguments.folder.glob("*.safetensors"))
    print(json.dumps({file.stem: attention(file.stem, load_file(file)) for file in files}))


def attention(form: str, tensors: dict[str, torch.Tensor]) -> dict[str, list[list[float]]]:
    parameters = {name.removeprefix("param/"): value for name, value in tensors.items() if name.startswith("param/")}
    images = (tensors["images"].double() - 128) / 64
    whole = FORMS[form](**TINY)
    whole.load_state_dict(parameters)
    weights = last_weights(whole, images)
    token = weights[:, 0, 1:]
    if form == "deit3":
        alone = FORMS[form](**TINY, class_token=False, global_pool="avg")
        alone.load_state_dict(parameters, strict=False)
        mean = last_weights(alone, images).mean(1)
    else:
        mean = weights[:, 1:, 1:].mean(1)
    return {"token": rounded(token), "mean": rounded(mean)}


def bert() -> dict[str, torch.Tensor]:
    import transformers

    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=12,
        num_labels=5,
        attn_implementation="eager",
    )
    model = transformers.BertForSequenceClassification(config).eval()
    for parameter in model.parameters():
        parameter.data.add_(0.3 * torch.randn(parameter.shape))
    parameters = {f"param/{name}": value.detach().clone() for name, value in model.named_parameters()}
    ids, types = torch.randint(0, 20, (3, 12)), torch.randint(0, 2, (3, 12))
    present = (torch.arange(12) < torch.tensor([[4], [9], [12]])).float()
    with torch.no_grad():
        seen = model.double()(ids, present, types, output_attentions=True).attentions[-1]  # (B, H, T, T)
    attention = seen.mean(1)[:, 0].float()
    return {**parameters, "ids": ids.int(), "types": types.int(), "present": present, "attention": attention}


def last_weights(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """(B, T, T), averaged over heads."""
    model = model.double().eval()
    last = model.blocks[-1].attn
    last.fused_attn = False  # the fused kernel keeps its weights to itself
    seen = []
    last.attn_drop.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    with torch.no_grad():
        model(images)
    return seen[0].mean(1)


def rounded(values: torch.Tensor) -> list[list[float]]:
    return [[round(value, 8) for value in row] for row in values.tolist()]


if __name__ == "__main__":
    main()
