"""The arithmetic of the confidence: known values, and an independent computation."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot.confidence import Fit, Label, fit_confidence, isotonic, logistic
from copilot.measures import aurc, brier, ece, reliability, wilson

SAID = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()),
    min_size=1,
    max_size=40,
)


def test_wilson_known_values() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81/263, 15/148, 0/20, 1/29.
    for successes, total, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        found = wilson(successes, total)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200))
def test_wilson_holds_the_share(successes: int, more: int) -> None:
    found = wilson(successes, successes + more)

    assert 0 <= found.low <= found.high <= 1
    if successes + more:
        assert found.low - 1e-12 <= found.share <= found.high + 1e-12


def test_wilson_refuses_counts_that_contradict() -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson(3, 2)


@settings(max_examples=80, deadline=None)
@given(SAID)
def test_brier_ece_and_bins_against_numpy(pairs: list[tuple[float, bool]]) -> None:
    said, happened = [p for p, _ in pairs], [y for _, y in pairs]
    p, y = np.array(said), np.array(happened, dtype=float)
    bins = np.minimum((p * 10).astype(int), 9)
    gap = sum(
        abs(p[bins == b].mean() - y[bins == b].mean()) * (bins == b).sum()
        for b in range(10)
        if (bins == b).any()
    )

    assert brier(said, happened) == pytest.approx(float(((p - y) ** 2).mean()))
    assert ece(said, happened) == pytest.approx(gap / len(pairs))
    assert sum(each.count for each in reliability(said, happened)) == len(pairs)


@settings(max_examples=80, deadline=None)
@given(SAID, st.randoms(use_true_random=False))
def test_aurc_is_the_mean_over_orders_of_equals(
    pairs: list[tuple[float, bool]], chance: random.Random
) -> None:
    """Ties count as their mean: the order in which they come changes nothing."""
    shuffled = pairs[:]
    chance.shuffle(shuffled)

    one = aurc([p for p, _ in pairs], [y for _, y in pairs])
    other = aurc([p for p, _ in shuffled], [y for _, y in shuffled])

    assert one == pytest.approx(other)
    assert 0 <= one <= 1


def test_aurc_known_values() -> None:
    # Risks while keeping 1, 2, 3 of them: 0, 1/2, 1/3.
    assert aurc([0.9, 0.8, 0.7], [True, False, True]) == pytest.approx(
        (0.5 + 1 / 3) / 3
    )
    # A constant is the share of wrong ones.
    assert aurc([0.5] * 4, [True, True, True, False]) == pytest.approx(0.25)


def test_a_constant_has_no_calibration_error_and_proves_nothing() -> None:
    happened = [True, True, True, False]

    assert ece([0.75] * 4, happened) == pytest.approx(0)
    assert aurc([0.75] * 4, happened) == pytest.approx(0.25)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=30))
def test_isotonic_rises_and_is_the_best_that_does(
    pairs: list[tuple[int, bool]],
) -> None:
    scores = [float(x) for x, _ in pairs]
    outcomes = [float(y) for _, y in pairs]

    points = isotonic(scores, outcomes)

    xs, ys = [x for x, _ in points], [y for _, y in points]
    fitted = np.interp(scores, xs, ys)
    assert ys == sorted(ys)
    # The best rising step function, by the min-max formula.
    best = {
        x: max(
            min(
                np.mean(
                    [y for s, y in zip(scores, outcomes, strict=True) if a <= s <= b]
                )
                for b in set(scores)
                if b >= x
            )
            for a in set(scores)
            if a <= x
        )
        for x in set(scores)
    }
    assert list(fitted) == pytest.approx([best[x] for x in scores])


def test_logistic_is_at_the_top_of_its_own_likelihood() -> None:
    chance = np.random.default_rng(7)
    rows = chance.normal(size=(300, 2))
    likely = 1 / (1 + np.exp(-(0.5 + 1.5 * rows[:, 0] - rows[:, 1])))
    accepted = (chance.random(300) < likely).astype(float)

    weights = logistic(rows, accepted, ridge=1e-6)

    data = np.hstack([np.ones((300, 1)), rows])
    slope = data.T @ (accepted - 1 / (1 + np.exp(-data @ weights)))
    assert np.abs(slope).max() < 1e-3
    assert weights == pytest.approx([0.5, 1.5, -1.0], abs=0.5)


# --- Adoption ------------------------------------------------------------------------
def labels(count: int, *, telling: bool, seed: int = 3) -> list[Label]:
    """Answers of people; `telling` when the link score says which are accepted."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        score = chance.random()
        likely = (0.05 + 0.9 * (score > 0.5)) if telling else 0.7
        features = {"link_score": score, "edits": float(chance.randint(1, 3))}
        made.append(Label(features, chance.random() < likely, f"wish {number // 2}"))
    return made


def test_below_fifty_answers_there_is_no_number() -> None:
    fit = fit_confidence(labels(49, telling=True))

    assert fit == Fit(labels=49)
    assert fit.probability({"link_score": 1.0}) is None


@pytest.mark.parametrize(("count", "basis"), [(200, "platt"), (600, "isotonic")])
def test_what_tells_is_learned(count: int, basis: str) -> None:
    fit = fit_confidence(labels(count, telling=True))

    sure = fit.probability({"link_score": 0.95, "edits": 1})
    unsure = fit.probability({"link_score": 0.05, "edits": 1})
    assert fit.basis == basis
    assert sure is not None
    assert unsure is not None
    assert sure > 0.75 > 0.35 > unsure
    assert fit.figures["brier_learned"] < fit.figures["brier_base"]


@pytest.mark.parametrize("seed", range(4))
def test_what_tells_nothing_keeps_the_base_rate(seed: int) -> None:
    """Adopted or not is what the cross-validated Brier scores say, never a wish."""
    given = labels(200, telling=False, seed=seed)
    fit = fit_confidence(given)

    better = fit.figures["brier_learned"] < fit.figures["brier_base"]
    assert fit.basis == "base-rate" or better
    if fit.basis == "base-rate":
        share = sum(each.accepted for each in given) / len(given)
        assert fit.probability({"link_score": 0.3}) == pytest.approx(share)


def test_a_fit_is_the_same_after_a_way_through_a_database() -> None:
    import json

    fit = fit_confidence(labels(120, telling=True))

    again = Fit.of_json(json.loads(json.dumps(fit.as_json())))

    features = {"link_score": 0.8, "edits": 2.0}
    assert again.probability(features) == fit.probability(features)
