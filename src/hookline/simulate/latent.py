"""The latent types of shoppers, and what copy each of them likes."""

from collections.abc import Mapping
from dataclasses import dataclass

Level = tuple[str, str]
"""One creative attribute at one level, for example `("angle", "value")`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taste:
    """What one latent type of shopper likes, in logarithms: .1 is about +10 %.

    Attributes:
        share: Share of all shoppers who are of this type.
        segments: Visible `segment` → how often this type wears it; sums to 1.
        likes: Attribute level → log effect on clicks; levels left out are neutral.
        pairs: Two levels → the further log effect of having both in one copy.
    """

    share: float
    segments: Mapping[str, float]
    likes: Mapping[Level, float]
    pairs: Mapping[tuple[Level, Level], float]


def latent_types() -> dict[str, Taste]:
    """The five latent types by name. Assumed: no data at hand shows who likes which copy (docs)."""
    return {
        "bargain": Taste(
            share=0.28,
            segments={"saver": 0.74, "connoisseur": 0.10, "explorer": 0.16},
            likes={
                ("angle", "value"): 0.36, ("angle", "direct"): 0.12, ("angle", "quality"): -0.16,
                ("angle", "identity"): -0.16, ("angle", "style"): -0.12, ("tone", "bold"): 0.10,
                ("tone", "expert"): -0.10, ("cta", "get"): 0.12, ("cta", "treat"): -0.10,
                ("proof", "price"): 0.24, ("proof", "brand"): -0.16, ("urgency", "soft"): 0.10,
            },
            pairs={
                (("angle", "value"), ("proof", "price")): 0.20,
                (("angle", "quality"), ("proof", "brand")): -0.12,
            },
        ),
        "craft": Taste(
            share=0.20,
            segments={"saver": 0.10, "connoisseur": 0.76, "explorer": 0.14},
            likes={
                ("angle", "quality"): 0.30, ("angle", "feature"): 0.16, ("angle", "value"): -0.20,
                ("angle", "curiosity"): -0.12, ("tone", "expert"): 0.20, ("tone", "calm"): 0.08,
                ("tone", "bold"): -0.16, ("tone", "playful"): -0.12, ("cta", "choose"): 0.08,
                ("cta", "get"): -0.10, ("proof", "spec"): 0.24, ("proof", "brand"): 0.16,
                ("proof", "price"): -0.20, ("urgency", "soft"): -0.20, ("length", "full"): 0.10,
            },
            pairs={
                (("angle", "quality"), ("proof", "spec")): 0.16,
                (("angle", "feature"), ("tone", "expert")): 0.12,
            },
        ),
        "novelty": Taste(
            share=0.20,
            segments={"saver": 0.12, "connoisseur": 0.14, "explorer": 0.74},
            likes={
                ("angle", "curiosity"): 0.30, ("angle", "style"): 0.20, ("angle", "identity"): 0.12,
                ("angle", "direct"): -0.16, ("angle", "value"): -0.12, ("tone", "playful"): 0.20,
                ("tone", "bold"): 0.12, ("tone", "plain"): -0.12, ("cta", "discover"): 0.16,
                ("cta", "see"): 0.10, ("proof", "spec"): -0.12, ("length", "short"): 0.08,
            },
            pairs={
                (("angle", "curiosity"), ("proof", "none")): 0.16,
                (("angle", "curiosity"), ("proof", "spec")): -0.12,
            },
        ),
        "busy": Taste(
            share=0.20,
            segments={"saver": 0.46, "connoisseur": 0.27, "explorer": 0.27},
            likes={
                ("angle", "ease"): 0.28, ("angle", "problem"): 0.16, ("angle", "howto"): 0.12,
                ("angle", "direct"): 0.16, ("angle", "curiosity"): -0.20, ("tone", "plain"): 0.14,
                ("tone", "playful"): -0.12, ("cta", "get"): 0.10, ("cta", "learn"): -0.12,
                ("urgency", "soft"): 0.06, ("length", "short"): 0.20,
            },
            pairs={
                (("angle", "ease"), ("length", "short")): 0.12,
                (("angle", "problem"), ("tone", "plain")): 0.10,
            },
        ),
        "belonging": Taste(
            share=0.12,
            segments={"saver": 0.18, "connoisseur": 0.40, "explorer": 0.42},
            likes={
                ("angle", "occasion"): 0.28, ("angle", "identity"): 0.20,
                ("angle", "benefit"): 0.12, ("angle", "feature"): -0.16,
                ("tone", "warm"): 0.24, ("tone", "expert"): -0.12,
                ("cta", "treat"): 0.20, ("proof", "brand"): 0.12, ("proof", "spec"): -0.12,
            },
            pairs={
                (("angle", "occasion"), ("cta", "treat")): 0.16,
                (("angle", "identity"), ("tone", "warm")): 0.12,
            },
        ),
    }  # fmt: skip
