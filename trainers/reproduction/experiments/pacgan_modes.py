"""Modes of the ring and of the grid that packed GANs find."""

from ..declarations import Contender, Experiment, Measured, Published, Scale

_QUALITY, _KL = "samples of high quality", "reverse KL of modes"

# Modes and their deviation, share of high quality, reverse KL: as docs/results.md has them of the paper's table.
_PUBLISHED = {
    ("ring", 1): ((6.3, 0.5), 0.982, 0.45),
    ("ring", 4): ((7.8, None), 0.959, 0.07),
    ("grid", 1): ((17.3, 0.8), 0.948, 0.70),
    ("grid", 4): ((24.8, None), 0.936, 0.04),
}


def _contender(dataset: str, pack: int) -> Contender:
    found = _PUBLISHED.get((dataset, pack))
    published: tuple[Published, ...] = ()
    if found is not None:
        modes, quality, kl = found
        published = (Published(*modes), Published(quality, figure=_QUALITY), Published(kl, figure=_KL))
    settings = {"recipe": "gan", "dataset": dataset, "hyperparameters": {"pack": pack}}
    name = "GAN" if pack == 1 else f"PacGAN{pack}"
    return Contender(name, settings, dataset, () if pack == 1 else ("GAN",), published=published)


EXPERIMENT = Experiment(
    title="Packed GANs: modes found of the ring of 8 and of the grid of 25",
    source="Lin, Khetan, Fanti, Oh, PacGAN (NeurIPS 2018), tables of the ring and of the grid",
    settings={"batch_size": 120, "hidden": (400, 400, 400, 400), "code_size": 2, "learning_rate": 1e-4},
    figures=(Measured("modes found", "modes"), Measured(_QUALITY, "modes"), Measured(_KL, "modes", higher=False)),
    contenders=tuple(_contender(dataset, pack) for dataset in ("ring", "grid") for pack in (1, 2, 3, 4)),
    scales={
        "smoke": Scale(
            {"hidden": (32, 32), "learning_rate": 2e-4},
            updates=200,
            seeds=2,
            effort={"samples": 2_500},
            only=("GAN, ring", "PacGAN2, ring"),
        ),
        "cpu": Scale(updates=50_000, effort={"samples": 2_500}, note="An eighth of the published steps."),
        "full": Scale(updates=400_000, effort={"samples": 2_500}, note="400,000 steps, as published."),
    },
    open=(
        "Networks have the published four layers of 400 units, without batch normalisation.",
        "Batches are of 120 points, which packs of 1 to 4 divide, where the paper's are of 100.",
        "Adam's step is 1e-4 with beta_1 of 0.5, from memory near the paper's.",
    ),
)
