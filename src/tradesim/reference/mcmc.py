"""Sample a density with emcee and check that it converged; knows nothing of trade."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import ndtri

from tradesim.common.arrays import Array
from tradesim.common.errors import ConvergenceError
from tradesim.common.parallel import Progress

MAX_RHAT = 1.01
MIN_EFFECTIVE = 400
MIN_TIMES = 20


def sample(density: Callable[[Array], Array], starts: Array, steps: int, seed: int,
           progress: Progress | None = None) -> Array:
    """Run one ensemble per set of starting points and drop the first third of its steps.

    `density` gives the log density of many vectors at once, (vector, parameter) to (vector,);
    starts have axes (ensemble, walker, parameter), the result (ensemble, step, walker,
    parameter). Every ensemble has a stream of random numbers of its own.
    """
    import emcee
    from threadpoolctl import threadpool_limits

    ensembles, walkers, size = starts.shape
    # Differential evolution gives three times the effective draws of the stretch move here;
    # one move in ten is a full step, which lets walkers change between separate modes.
    moves = [(emcee.moves.DEMove(), 0.9), (emcee.moves.DEMove(gamma0=1.0), 0.1)]
    kept = []
    with threadpool_limits(limits=1):
        for k, stream in enumerate(np.random.SeedSequence(seed).spawn(ensembles)):
            sampler = emcee.EnsembleSampler(walkers, size, density, moves=moves, vectorize=True)
            sampler.random_state = np.random.RandomState(np.random.MT19937(stream)).get_state()
            for done, _ in enumerate(sampler.sample(starts[k], iterations=steps), start=1):
                if progress is not None:
                    progress(k * steps + done, ensembles * steps)
            kept.append(sampler.get_chain(discard=steps // 3))
    return np.array(kept)


def split_rhat(chains: Array) -> float:
    """Rank-normalised split R-hat of chains (chain, draw), bulk or tail, whichever is worse.

    Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Bayesian Analysis 16(2).
    """
    half = chains.shape[1] // 2
    halves = np.concatenate([chains[:, :half], chains[:, -half:]])
    return max(_rhat(halves), _rhat(np.abs(halves - np.median(halves))))


def _rhat(chains: Array) -> float:
    from scipy.stats import rankdata

    z = ndtri((rankdata(chains).reshape(chains.shape) - 0.375) / (chains.size + 0.25))
    within = z.var(axis=1, ddof=1).mean()
    between = z.mean(axis=1).var(ddof=1)
    steps = chains.shape[1]
    return float(np.sqrt((steps - 1) / steps + between / within)) if within > 1e-12 else np.inf


def effective_draws(chains: Array, least: float = MIN_TIMES) -> Array:
    """Effective sample size by parameter: draws over the integrated autocorrelation time.

    The time is emcee's (Goodman and Weare 2010; Sokal's window), per ensemble. Chains that do
    not move, or are shorter than `least` times their own estimate, count for nothing: on
    such chains the estimate is far too low. Axes (ensemble, step, walker, parameter) in,
    (parameter,) out.
    """
    from emcee.autocorr import integrated_time

    steps, walkers = chains.shape[1:3]
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.array([integrated_time(chain, tol=0) for chain in chains])
        sizes = np.where(steps >= least * times, steps * walkers / times, 0.0)
    return np.asarray(sizes.sum(axis=0))


def assess(names: Sequence[str], chains: Array,
           least: float = MIN_TIMES) -> dict[str, tuple[float, float]]:
    """Split R-hat and effective sample size by parameter; `least` as in `effective_draws`."""
    ensembles, size = chains.shape[0], chains.shape[-1]
    rhats = [split_rhat(chains[..., k].reshape(ensembles, -1)) for k in range(size)]
    sizes = effective_draws(chains, least)
    return {name: (float(rhats[k]), float(sizes[k])) for k, name in enumerate(names)}


def diagnose(names: Sequence[str], chains: Array) -> dict[str, tuple[float, float]]:
    """Split R-hat and effective sample size by parameter, of chains that must have converged.

    A `ConvergenceError` names the worst parameter when an R-hat is `MAX_RHAT` or more or an
    effective sample size below `MIN_EFFECTIVE`.
    """
    diagnostics = assess(names, chains)
    failed = [name for name, (rhat, size) in diagnostics.items()
              if rhat >= MAX_RHAT or size < MIN_EFFECTIVE]
    if failed:
        worst = max(failed, key=lambda name: (diagnostics[name][0], -diagnostics[name][1]))
        rhat, size = diagnostics[worst]
        raise ConvergenceError(
            f"calibration of {worst} (split R-hat {rhat:.3f}, must be below "
            f"{MAX_RHAT}; {size:.0f} effective draws, at least {MIN_EFFECTIVE} needed; "
            f"{len(failed)} of {len(diagnostics)} parameters fail; take more steps)", rhat)
    return diagnostics


def kept_draws(chains: Array, draws: int, rng: np.random.Generator) -> Array:
    """Thin chains to `draws` vectors: all walkers at as few steps as that takes, far apart.

    They come in random order, so that the first n draws are a fair sample too.
    """
    ensembles, steps, walkers, size = chains.shape
    moments = min(steps, -(-draws // (ensembles * walkers)))
    every = np.linspace(steps / moments, steps, moments).astype(int) - 1
    pool = chains[:, every].reshape(-1, size)
    return np.take(pool, rng.permutation(len(pool))[:draws], axis=0)
