"""SNGAN's residual networks for 28x28 images in PyTorch."""

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, relu
from torch.nn.utils.parametrizations import spectral_norm

from benchmarks import works

__all__ = ["resnet"]


def _mean(x: torch.Tensor) -> torch.Tensor:
    return avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)


def _doubled(x: torch.Tensor) -> torch.Tensor:
    return interpolate(x, scale_factor=2.0)


def _convolution(size: int, fan_in: int, fan_out: int) -> nn.Conv2d:
    return nn.Conv2d(fan_in, fan_out, size, padding=size // 2)


def _batch_norm() -> nn.BatchNorm2d:
    return nn.BatchNorm2d(works.FILTERS, eps=works.RESNET_EPSILON, momentum=1.0 - works.BATCH_NORM_MOMENTUM)


class _Up(nn.Module):
    def __init__(self, n: int):
        super().__init__()
        self.norm_1, self.first = _batch_norm(), _convolution(3, n, n)
        self.norm_2, self.short, self.second = _batch_norm(), _convolution(1, n, n), _convolution(3, n, n)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.first(_doubled(relu(self.norm_1(x))))
        return self.second(relu(self.norm_2(h))) + _doubled(self.short(x))


class _First(nn.Module):
    """The block next to an image."""

    def __init__(self, n: int):
        super().__init__()
        self.first, self.second = spectral_norm(_convolution(3, 1, n)), spectral_norm(_convolution(3, n, n))
        self.short = spectral_norm(_convolution(1, 1, n))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _mean(self.second(relu(self.first(x)))) + self.short(_mean(x))


class _Down(nn.Module):
    def __init__(self, n: int, halve: bool):
        super().__init__()
        self.first, self.second = spectral_norm(_convolution(3, n, n)), spectral_norm(_convolution(3, n, n))
        self.short = spectral_norm(_convolution(1, n, n)) if halve else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.second(relu(self.first(relu(x))))
        return h + x if self.short is None else _mean(h) + self.short(_mean(x))


class _Decoder(nn.Module):
    def __init__(self, code: int, n: int):
        super().__init__()
        self.dense, self.blocks = nn.Linear(code, 7 * 7 * n), nn.Sequential(_Up(n), _Up(n))
        self.norm, self.last = _batch_norm(), _convolution(3, n, 1)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        h = self.dense(z).view(-1, 7, 7, works.FILTERS).permute(0, 3, 1, 2)
        return torch.tanh(self.last(relu(self.norm(self.blocks(h)))))


class _Discriminator(nn.Module):
    def __init__(self, n: int):
        super().__init__()
        self.blocks = nn.Sequential(_First(n), _Down(n, True), _Down(n, False), _Down(n, False))
        self.last = spectral_norm(nn.Linear(n, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(relu(self.blocks(x)).sum((2, 3)))


def resnet(code: int) -> tuple[nn.Module, nn.Module]:
    """A decoder of codes, [B, code], and a discriminator, of `works.FILTERS` channels."""
    decoder, discriminator = _Decoder(code, works.FILTERS), _Discriminator(works.FILTERS)
    return decoder.to(memory_format=torch.channels_last), discriminator.to(memory_format=torch.channels_last)
