"""Work that training does not change, done once: prompts as the last layer meets them (Lecture 9, experiments 2 to 5).

Where only the last layer is trained, all layers below it compute the same for a prompt in every epoch. And of the last
layer only the prompt's last token is needed, since the answer is read there. So a prompt is kept as the vector of that
token, and the keys and values that it may look at. A training step then costs what one token costs in one layer.

It is exact as long as the last layer's keys and values stay as they are: adapt :data:`TARGETS` and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from course.language.attention import join_heads, split_heads, turn
from course.language.model import Llama, check_tokens

TARGETS = ("q_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class FrozenPrompts:
    """What the last layer is given of each prompt.

    Attributes:
        last: ``(n, hidden_size)``, of the last token, as it enters the last layer.
        keys, values: ``(n, n_kv_heads, longest, head_dim)``, of the last layer, turned.
        visible: ``(n, longest)`` bool, false for padding.
        cos, sin: ``(n, 1, 1, head_dim / 2)``, of the last token's place.
    """

    last: Tensor
    keys: Tensor
    values: Tensor
    visible: Tensor
    cos: Tensor
    sin: Tensor

    def __len__(self) -> int:
        return len(self.last)

    def __getitem__(self, rows) -> "FrozenPrompts":
        """Some of the prompts: a slice, numbers or booleans, as for a tensor."""
        return FrozenPrompts(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@torch.no_grad()
def freeze(model: Llama, prompts: Sequence[Sequence[int]], batch: int = 32) -> FrozenPrompts:
    """Run all layers but the last over prompts of different lengths.

    Args:
        model: as it is before training.
        prompts: ``n`` lists of tokens.
        batch: prompts at a time; they are sorted by length, so that little is padded.

    Raises:
        ValueError: no prompts, an empty one, or tokens that the model does not know.
    """
    if not prompts or not all(len(prompt) for prompt in prompts):
        raise ValueError("At least one prompt was expected, and in each at least one token.")
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    frozen = _empty(model, lengths)
    order = lengths.argsort(stable=True)
    for rows in order.split(batch):
        tokens = padded([prompts[row] for row in rows.tolist()])
        check_tokens(tokens, model.config)
        x, positions = model.embed_tokens(tokens), model.positions(tokens.shape[1])
        for layer in model.layers[:-1]:
            x = layer(x, positions)
        top, n = model.layers[-1], tokens.shape[1]
        _, keys, values = top.self_attn.queries_keys_values(top.input_layernorm(x), positions)
        frozen.keys[rows, :, :n], frozen.values[rows, :, :n] = keys, values
        frozen.last[rows] = x[torch.arange(len(rows)), lengths[rows] - 1]
    return frozen


def last_layer(model: Llama, frozen: FrozenPrompts) -> Tensor:
    """What the model knows of each prompt's last token, ``(n, hidden_size)``, with the last layer as it is now."""
    top, x = model.layers[-1], frozen.last
    queries = split_heads(top.self_attn.q_proj(top.input_layernorm(x)).unsqueeze(1), top.self_attn.n_heads)
    queries = turn(queries, frozen.cos, frozen.sin)
    mask = frozen.visible[:, None, None, :]
    heard = F.scaled_dot_product_attention(queries, frozen.keys, frozen.values, attn_mask=mask, enable_gqa=True)
    x = x + top.self_attn.o_proj(join_heads(heard)[:, 0])
    return model.norm(x + top.mlp(top.post_attention_layernorm(x)))


def padded(prompts: Sequence[Sequence[int]]) -> Tensor:
    """``(n, longest)`` int64, shorter prompts filled up on the right, where no earlier token sees it."""
    longest = max(map(len, prompts))
    return torch.tensor([[*prompt, *[0] * (longest - len(prompt))] for prompt in prompts])


def _empty(model: Llama, lengths: Tensor) -> FrozenPrompts:
    config, n, longest = model.config, len(lengths), int(lengths.max())
    positions = model.positions(longest)
    cos, sin = (angles[lengths - 1][:, None, None] for angles in (positions.cos, positions.sin))
    keys, values = torch.zeros(2, n, config.n_kv_heads, longest, config.head_dim)
    visible = torch.arange(longest) < lengths[:, None]
    return FrozenPrompts(torch.zeros(n, config.hidden_size), keys, values, visible, cos, sin)
