"""What a model loses by learning something else (Lecture 9, experiment 5).

The measure is its loss on text that has nothing to do with the new task, before and after.

Sources: R. French, Catastrophic forgetting in connectionist networks, 1999; D. Biderman et al., LoRA Learns Less and
Forgets Less, 2024.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from course.language.model import Llama, check_tokens

# Written for this course, on things that no bank calls about.
GENERAL_TEXTS = (
    "The moon pulls the water of the oceans towards it, and so the sea rises and falls twice a day. On most coasts the "
    "difference between high and low water is a metre or two, but in some narrow bays it is more than ten metres.",
    "To bake a loaf of bread you need flour, water, salt and yeast. Mix them, knead the dough for ten minutes, and "
    "let it rest in a warm place until it has doubled in size. Then bake it in a hot oven for about forty minutes.",
    "The first maps of the world were drawn by people who had seen very little of it. They filled the empty places "
    "with sea monsters, and put their own city in the middle.",
    "Water boils at a lower temperature on a high mountain, because the air presses on it less. That is why it takes "
    "longer to cook potatoes in the mountains than it does by the sea.",
    "In the year 1869 a chemist wrote the names of the elements on cards and sorted them by weight. He saw that their "
    "properties repeated, and left gaps for the elements that nobody had found yet.",
    "She opened the window and listened. Somewhere down the street a child was practising the same four notes on a "
    "piano, over and over, and the dog next door had begun to sing along.",
)


class GeneralText:
    """Texts as the last layer of a model meets them: the rest of the work is done once, as for the prompts.

    Args:
        model: as it is before training.
        texts: ``n`` lists of tokens, two or more in each.

    Raises:
        ValueError: no texts, or one of fewer than two tokens.
    """

    @torch.no_grad()
    def __init__(self, model: Llama, texts: Sequence[Sequence[int]]):
        if not texts or min(map(len, texts)) < 2:
            raise ValueError("At least one text was expected, and in each at least two tokens.")
        self.tokens = [torch.tensor([text]) for text in texts]
        self.below = [_below_the_last(model, tokens) for tokens in self.tokens]

    @torch.no_grad()
    def loss(self, model: Llama) -> float:
        """Nats a token, with the last layer as it is now; its keys and values too."""
        found = [_token_losses(model, x, tokens) for x, tokens in zip(self.below, self.tokens, strict=True)]
        return float(torch.cat(found).mean())


def _below_the_last(model: Llama, tokens: Tensor) -> Tensor:
    check_tokens(tokens, model.config)
    x, positions = model.embed_tokens(tokens), model.positions(tokens.shape[1])
    for layer in model.layers[:-1]:
        x = layer(x, positions)
    return x


def _token_losses(model: Llama, x: Tensor, tokens: Tensor) -> Tensor:
    known = model.norm(model.layers[-1](x, model.positions(tokens.shape[1])))
    return F.cross_entropy(model.lm_head(known[0, :-1]), tokens[0, 1:], reduction="none")
