"""The same training in PyTorch, eager or compiled; no TensorFlow is imported here."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks import turns, works
from benchmarks.torch_resnet import resnet

Compiler = Callable[[Any], Any]


class Contender(NamedTuple):
    """Networks by name, a step from pixels to losses, and the names of the losses."""

    networks: dict[str, nn.Module]
    one_step: Callable[[torch.Tensor], list[torch.Tensor]]
    names: list[str]


def mlp(sizes: list[int], leak: float, last: nn.Module | None = None) -> nn.Sequential:
    parts: list[nn.Module] = []
    for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
        parts += [nn.Linear(fan_in, fan_out), nn.LeakyReLU(leak) if leak else nn.ReLU()]
    return nn.Sequential(*parts[:-1], *([last] if last else []))


def batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=works.BATCH_NORM_EPSILON, momentum=1.0 - works.BATCH_NORM_MOMENTUM)


def dcgan(code: int) -> tuple[nn.Module, nn.Module]:
    decoder = nn.Sequential(
        nn.Linear(code, 7 * 7 * 128, bias=False),
        nn.Unflatten(1, (128, 7, 7)),
        batch_norm(128),
        nn.ReLU(),
        nn.ConvTranspose2d(128, 64, 5, 2, padding=2, output_padding=1, bias=False),
        batch_norm(64),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 1, 5, 2, padding=2, output_padding=1),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 5, 2, padding=2),
        nn.LeakyReLU(works.LEAK),
        nn.Conv2d(64, 128, 5, 2, padding=2, bias=False),
        batch_norm(128),
        nn.LeakyReLU(works.LEAK),
        nn.Flatten(),
        nn.Linear(7 * 7 * 128, 1),
    )
    channels_last = torch.channels_last  # 1.05 times faster here than PyTorch's default
    return decoder.to(memory_format=channels_last), discriminator.to(memory_format=channels_last)


def assign(network: nn.Module, arrays: list[np.ndarray]) -> None:
    """Gives a network the common initial weights, in PyTorch's layouts."""
    for parameter, array in zip(network.parameters(), arrays, strict=True):
        if (
            7 * 7 * 128 in array.shape
        ):  # a dense layer beside images, which are [7, 7, 128] elsewhere and [128, 7, 7] here
            array = np.moveaxis(array.reshape(-1, 49, 128), 1, 2).reshape(array.shape)
        layout = {2: (1, 0), 4: (3, 2, 0, 1)}.get(array.ndim)
        parameter.data.copy_(torch.from_numpy(array if layout is None else array.transpose(layout)))


def vae_loss(encoder: nn.Module, decoder: nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    x = (255.0 * torch.rand(pixels.shape) < pixels).float()
    mean, raw = encoder(x).chunk(2, 1)
    scale = functional.softplus(raw) + works.MIN_SCALE
    logits = decoder(mean + scale * torch.randn_like(mean))
    distortion = functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    rate = (0.5 * (mean * mean + scale * scale - 1.0) - scale.log()).sum(1)
    return (distortion + rate).mean()


def discriminate_loss(discriminator: nn.Module, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    return functional.softplus(-discriminator(real)).mean() + functional.softplus(discriminator(fake)).mean()


def generate_loss(discriminator: nn.Module, fake: torch.Tensor) -> torch.Tensor:
    return functional.softplus(-discriminator(fake)).mean()


def adam(work: works.Work, *networks: nn.Module) -> torch.optim.Adam:
    parameters = [p for network in networks for p in network.parameters()]
    betas = (work.beta_1, works.ADAM_BETA_2)
    return torch.optim.Adam(parameters, work.learning_rate, betas, works.ADAM_EPSILON, fused=True)


def vae(work: works.Work, compiled: Compiler) -> Contender:
    encoder, decoder = mlp([784, 500, 500, 2 * work.code], 0.0), mlp([work.code, 500, 500, 784], 0.0)
    optimizer = adam(work, encoder, decoder)
    loss_of = compiled(vae_loss)

    def one_step(pixels: torch.Tensor) -> list[torch.Tensor]:
        loss = loss_of(encoder, decoder, pixels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return [loss.detach()]

    return Contender({"encoder": encoder, "decoder": decoder}, one_step, ["wake"])


def gan(work: works.Work, compiled: Compiler) -> Contender:
    flat = work.network == "mlp"
    decoder, discriminator = (
        (mlp([work.code, 256, 512, 784], works.LEAK, nn.Sigmoid()), mlp([784, 512, 256, 1], works.LEAK))
        if flat
        else (resnet if work.network == "resnet" else dcgan)(work.code)
    )
    adam_decoder, adam_discriminator = adam(work, decoder), adam(work, discriminator)
    generate, judge, fool = compiled(decoder), compiled(discriminate_loss), compiled(generate_loss)

    def one_step(pixels: torch.Tensor) -> list[torch.Tensor]:
        real = pixels / 255.0 if flat else pixels.to(memory_format=torch.channels_last) * (2.0 / 255.0) - 1.0
        fake = generate(torch.randn(work.batch, work.code))
        discriminator.requires_grad_(True)
        loss = judge(discriminator, real, fake.detach())
        adam_discriminator.zero_grad()
        loss.backward()
        adam_discriminator.step()
        discriminator.requires_grad_(False)  # only the gradient to the samples is wanted
        fooling = fool(discriminator, fake)
        adam_decoder.zero_grad()
        fooling.backward()
        adam_decoder.step()
        return [loss.detach(), fooling.detach()]

    return Contender({"decoder": decoder, "discriminator": discriminator}, one_step, ["discriminate", "generate"])


def train(setup: turns.Setup) -> None:
    torch.set_num_threads(setup.threads)
    torch.manual_seed(0)
    work, start = setup.work, works.initial_weights(setup.work)
    compiled = torch.compile if setup.contender == "torch_compile" else lambda f: f
    images = setup.images
    flat = work.network == "mlp"
    data = torch.from_numpy(images.reshape(len(images), -1) if flat else images.transpose(0, 3, 1, 2))
    networks, one_step, names = (vae if work.recipe == "vae" else gan)(work, compiled)
    for name, network in networks.items():
        assign(network, start[name])
    step, sums = 0, torch.zeros(len(names))
    for rows in setup.rows():
        for batch in rows:
            sums += torch.stack(one_step(data[torch.from_numpy(batch)].float()))
        step += work.superstep
        if step == work.check_steps:
            counts = {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()}
            losses = dict(zip(names, (sums / step).tolist(), strict=True))
            setup.turns.ready(parameters=counts, losses=losses, versions={"torch": torch.__version__})
        elif step > work.check_steps:
            setup.turns.trained(rows.size)


if __name__ == "__main__":
    turns.start(train)
