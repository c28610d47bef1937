"""Weights between two integers, which training pushes to one of them.

A weight is its scale times floor + h. h is a sigmoid of a free variable, stretched beyond 0 and 1
and cut there, so that it can reach both; a penalty, flat at first and then steeper, drives it to
them. It begins where floor + h is the float weight.

Ref: Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization",
arXiv:2004.10568, section 3.2: equations 22 (weights), 23 (rectified sigmoid) and 24 (penalty).
"""

import torch

#: Ends of the stretched sigmoid. Ref: as above, below equation 23.
LOWEST, HIGHEST = -0.1, 1.1
#: From this h on a weight is rounded up.
UP = 0.5


class SoftWeights:
    """The weights and the bias of one layer while they are trained.

    Parameters
    ----------
    weights : float32
        Axes as in QuantizedLayer.
    bias : float32 [Cout]
    scales : float32 [Cout]
    bits : int

    Attributes
    ----------
    variables : torch.Tensor, float32, as the weights
        What h is made of; trained.
    bias : torch.Tensor, float32 [Cout]
        Trained.
    """

    def __init__(self, weights, bias, scales, bits):
        self.top = 2 ** (bits - 1) - 1
        self.scales = torch.tensor(scales)
        steps = torch.tensor(weights) / self.scales
        self.floor = steps.floor().clamp(-self.top, self.top)
        part = (steps - steps.floor()).clamp(0, 1)
        self.variables = torch.logit((part - LOWEST) / (HIGHEST - LOWEST)).requires_grad_()
        self.bias = torch.tensor(bias).requires_grad_()

    def parts(self):
        """h of each weight, 0 to 1."""
        return (torch.sigmoid(self.variables) * (HIGHEST - LOWEST) + LOWEST).clamp(0, 1)

    def soft(self):
        """(weights, bias) as they are now, between integers."""
        return (self.floor + self.parts()).clamp(-self.top, self.top) * self.scales, self.bias

    def integers(self):
        """The integers that are nearest to `soft`: float32."""
        return (self.floor + (self.parts() >= UP)).clamp(-self.top, self.top).detach()

    def hard(self):
        """(weights, bias) of the integers."""
        return self.integers() * self.scales, self.bias.detach()

    def penalty(self, exponent):
        """The sum of 1 - |2h - 1| ** exponent: 0 where every weight is an integer."""
        return (1 - (2 * self.parts() - 1).abs().pow(exponent)).sum()
