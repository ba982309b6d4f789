"""Muon (Jordan 2024): momentum whose matrices are made orthogonal before they are applied. Here it also takes stacks of
matrices, such as the experts of a layer, each made orthogonal by itself.

The update is scaled as in Moonlight (Liu 2025), so that learning rate and weight decay mean what they mean in AdamW.
"""

import math

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the odd polynomial that drives singular values towards 1, from Jordan's description."""


def orthogonal(x: torch.Tensor, rounds: int = 4) -> torch.Tensor:
    """About U V^T of each matrix U S V^T in x (..., rows, columns), by Newton-Schulz iteration."""
    a, b, c = COEFFICIENTS
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(rounds):
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.95, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                moving = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                # Nesterov's: the gradient once more on top of the average.
                update = orthogonal(p.grad.lerp(moving, group["momentum"]))
                scale = 0.2 * math.sqrt(max(p.shape[-2:]))
                p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"] * scale)
