"""How sure the copilot is, learned from what people did with its proposals. Pure.

The number is the probability that the person accepts a proposal without editing it.
A learned number is shown only when it has proved better than the constant share of
accepted proposals, on prompts it had not seen; a low calibration error alone proves
nothing, because the constant has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from copilot.measures import aurc, brier, ece

Array: TypeAlias = NDArray[np.float64]

FEATURES: Final = (
    "link_score", "link_margin", "clauses", "edits", "patch_size", "adds_block",
    "repairs", "own_number",
)  # fmt: skip
FEWEST_LABELS: Final = 50
ISOTONIC_FROM: Final = 500
_FOLDS: Final = 5
_INNER_FOLDS: Final = 3
_RIDGE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Label:
    """One proposal, and what a person did with it.

    Attributes:
        features: Numbers of the proposal by name; a missing one is 0.
        accepted: It was accepted as it was.
        prompt: The instruction; the same one never trains and tests at once.
    """

    features: Mapping[str, float]
    accepted: bool
    prompt: str


@dataclass(frozen=True, slots=True)
class Fit:
    """What was learned, as numbers that can be stored.

    Attributes:
        basis: ``too-few``, ``base-rate``, ``platt`` or ``isotonic``.
        labels: How many answers of people there were.
        base_rate: Share of proposals accepted as they were.
        weights: Of the standardised features, the constant first.
        centre: Means of the features.
        scale: Their standard deviations, never 0.
        curve: Platt: slope and offset. Isotonic: pairs of score and probability.
        figures: What the cross-validation found, by name.
    """

    basis: str = "too-few"
    labels: int = 0
    base_rate: float = 0.0
    weights: tuple[float, ...] = ()
    centre: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    def probability(self, features: Mapping[str, float]) -> float | None:
        """Return the number to show, or None while there are too few answers."""
        if self.basis == "too-few":
            return None
        if self.basis == "base-rate":
            return self.base_rate
        row = _standardised(
            _matrix([features]), np.array(self.centre), np.array(self.scale)
        )
        score = float(_sigmoid(_with_constant(row) @ np.array(self.weights))[0])
        found = float(_curve(self.basis, self.curve)(np.array([score]))[0])
        # Nobody is surer than all the answers together allow.
        edge = 1 / (self.labels + 2)
        return min(max(found, edge), 1 - edge)

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> Fit:
        """Read what `as_json` wrote, after a way through a database."""
        return cls(
            basis=raw["basis"],
            labels=raw["labels"],
            base_rate=raw["base_rate"],
            weights=tuple(raw["weights"]),
            centre=tuple(raw["centre"]),
            scale=tuple(raw["scale"]),
            curve=tuple((x, y) for x, y in raw["curve"]),
            figures=dict(raw["figures"]),
        )


def fit_confidence(labels: Sequence[Label]) -> Fit:
    """Learn from what people did, or keep to the share they accepted.

    A logistic curve over the features, straightened by Platt's two numbers, or by an
    isotonic curve from 500 answers on. It is adopted only when its Brier score on
    prompts it was not fitted on is lower than the constant's.
    """
    count = len(labels)
    if count < FEWEST_LABELS:
        return Fit(labels=count)
    accepted = np.array([each.accepted for each in labels], dtype=np.float64)
    base = float(accepted.mean())
    rows = _matrix([each.features for each in labels])
    groups = _groups(labels)
    basis = "isotonic" if count >= ISOTONIC_FROM else "platt"
    constant = _crossed(rows, accepted, groups, _train_constant)
    learned = _crossed(rows, accepted, groups, lambda x, y, g: _train(x, y, g, basis))
    happened = [each.accepted for each in labels]
    figures = {
        "brier_base": brier(constant.tolist(), happened),
        "brier_learned": brier(learned.tolist(), happened),
        "aurc_base": aurc([base] * count, happened),
        "aurc_learned": aurc(learned.tolist(), happened),
        "ece_learned": ece(learned.tolist(), happened),
    }
    curve = _fit_curve(basis, *_inner_scores(rows, accepted, groups))
    # A falling curve says that the features mislead on prompts they have not seen.
    rises = basis == "isotonic" or curve[0][0] > 0
    if not rises or figures["brier_learned"] >= figures["brier_base"]:
        return Fit("base-rate", count, base, figures=figures)
    centre, scale = _standard(rows)
    standard = _standardised(rows, centre, scale)
    return Fit(
        basis,
        count,
        base,
        tuple(logistic(standard, accepted).tolist()),
        tuple(centre.tolist()),
        tuple(scale.tolist()),
        curve,
        figures,
    )


_Predict: TypeAlias = Callable[[Array], Array]
_Train: TypeAlias = Callable[[Array, Array, NDArray[np.int64]], _Predict]


def _crossed(
    rows: Array,
    accepted: Array,
    groups: NDArray[np.int64],
    train: _Train,
    folds: int = _FOLDS,
) -> Array:
    """Predict each row from a fit that has not seen its prompt."""
    found = np.zeros(len(rows))
    for fold in range(folds):
        out = groups % folds == fold
        if out.all() or not out.any():
            found[out] = accepted.mean()
            continue
        predict = train(rows[~out], accepted[~out], groups[~out])
        found[out] = predict(rows[out])
    return found


def _train_constant(
    rows: Array, accepted: Array, groups: NDArray[np.int64]
) -> _Predict:
    share = float(accepted.mean())
    return lambda new: np.full(len(new), share)


def _train_logistic(
    rows: Array, accepted: Array, groups: NDArray[np.int64]
) -> _Predict:
    centre, scale = _standard(rows)
    weights = logistic(_standardised(rows, centre, scale), accepted)
    return lambda new: _sigmoid(
        _with_constant(_standardised(new, centre, scale)) @ weights
    )


def _train(
    rows: Array, accepted: Array, groups: NDArray[np.int64], basis: str
) -> _Predict:
    """Fit the features, and the curve on scores of prompts the fit has not seen."""
    curve = _curve(basis, _fit_curve(basis, *_inner_scores(rows, accepted, groups)))
    score = _train_logistic(rows, accepted, groups)
    return lambda new: curve(score(new))


def _inner_scores(
    rows: Array, accepted: Array, groups: NDArray[np.int64]
) -> tuple[Array, Array]:
    renumbered = np.unique(groups, return_inverse=True)[1]
    scores = _crossed(rows, accepted, renumbered, _train_logistic, _INNER_FOLDS)
    return scores, accepted


def _fit_curve(
    basis: str, scores: Array, accepted: Array
) -> tuple[tuple[float, float], ...]:
    if basis == "isotonic":
        return isotonic(scores.tolist(), accepted.tolist())
    offset, slope = logistic(_logit(scores)[:, None], accepted, ridge=1e-3).tolist()
    return ((slope, offset),)


def _curve(basis: str, curve: Sequence[tuple[float, float]]) -> _Predict:
    if basis == "isotonic":
        xs, ys = [x for x, _ in curve], [y for _, y in curve]
        return lambda scores: np.interp(scores, xs, ys)
    slope, offset = curve[0]
    return lambda scores: _sigmoid(slope * _logit(scores) + offset)


# --- Arithmetic --------------------------------------------------------------------
def logistic(rows: Array, accepted: Array, *, ridge: float = _RIDGE) -> Array:
    """Fit a logistic curve by Newton's method; the constant, first, is not shrunk."""
    data = _with_constant(rows)
    weights = np.zeros(data.shape[1])
    penalty = np.full(data.shape[1], ridge)
    penalty[0] = 1e-6
    for _round in range(50):
        likely = _sigmoid(data @ weights)
        slope = data.T @ (accepted - likely) - penalty * weights
        curvature = (data * (likely * (1 - likely))[:, None]).T @ data
        step = np.linalg.solve(curvature + np.diag(penalty), slope)
        # Newton overshoots where the curve is flat.
        weights += step / max(1.0, float(np.abs(step).max()) / 2)
        if np.abs(step).max() < 1e-8:
            break
    return weights


def isotonic(
    scores: Sequence[float], accepted: Sequence[float]
) -> tuple[tuple[float, float], ...]:
    """Fit the best curve that never falls (pool adjacent violators).

    Returns:
        Pairs of score and probability, rising; between them it is straight.
    """
    pooled: list[list[float]] = []  # sum, weight, first score, last score
    by_score: dict[float, list[float]] = {}
    for score, outcome in zip(scores, accepted, strict=True):
        by_score.setdefault(score, []).append(outcome)
    for score in sorted(by_score):
        group = by_score[score]
        pooled.append([sum(group), float(len(group)), score, score])
        while len(pooled) > 1 and (
            pooled[-2][0] * pooled[-1][1] >= pooled[-1][0] * pooled[-2][1]
        ):
            total, weight, _first, last = pooled.pop()
            pooled[-1][0] += total
            pooled[-1][1] += weight
            pooled[-1][3] = last
    points = []
    for total, weight, first, last in pooled:
        points.append((first, total / weight))
        if last > first:
            points.append((last, total / weight))
    return tuple(points)


def _sigmoid(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -35, 35))), dtype=np.float64)


def _logit(values: Array) -> Array:
    safe = np.clip(values, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(safe / (1 - safe)), dtype=np.float64)


def _matrix(features: Sequence[Mapping[str, float]]) -> Array:
    rows = [[float(each.get(name, 0.0)) for name in FEATURES] for each in features]
    return np.array(rows, dtype=np.float64)


def _with_constant(rows: Array) -> Array:
    return np.hstack([np.ones((len(rows), 1)), rows])


def _standard(rows: Array) -> tuple[Array, Array]:
    scale = rows.std(axis=0)
    return rows.mean(axis=0), np.where(scale > 1e-9, scale, 1.0)


def _standardised(rows: Array, centre: Array, scale: Array) -> Array:
    # What is far from all that was seen tells no more than what is at its edge.
    return np.clip((rows - centre) / scale, -3, 3)


def _groups(labels: Sequence[Label]) -> NDArray[np.int64]:
    numbers: dict[str, int] = {}
    for each in labels:
        numbers.setdefault(each.prompt, len(numbers))
    return np.array([numbers[each.prompt] for each in labels], dtype=np.int64)
