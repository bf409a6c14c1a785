"""Numbers of paired t tests from SciPy and statsmodels, for test/core/significance.json: python significance.py > that file."""

import json
import sys

import scipy
from scipy import stats
from statsmodels.stats.power import TTestPower
import statsmodels

cases = {
    "three seeds": [0.7, 1.1, 0.4],
    "two seeds": [0.31, 0.05],
    "five mixed": [0.5, -0.3, 0.2, 0.9, -0.1],
    "worse": [-1.2, -0.8, -1.9, -1.1],
    "ten": [0.12, 0.45, -0.2, 0.33, 0.51, 0.08, -0.05, 0.27, 0.61, 0.14],
    "far": [10.01, 10.02, 9.99, 10.0],
}


def paired(differences):
    result = stats.ttest_rel(differences, [0] * len(differences))
    interval = result.confidence_interval(0.95)
    return {
        "differences": differences,
        "t": float(result.statistic),
        "freedom": int(result.df),
        "p": float(result.pvalue),
        "low": float(interval.low),
        "high": float(interval.high),
    }


# The noncentral t of SciPy gives NaN far from there.
powers = [(d, n) for d in (0.1, 0.5, 0.8, 1.0, 2.0) for n in (2, 3, 5, 10, 20, 64) if d * n**0.5 < 6]
power = TTestPower()
json.dump(
    {
        "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
        "cdf": [[t, v, float(stats.t.cdf(t, v))] for v in (1, 2, 3, 4, 9, 30, 200.5, 5000) for t in (-8, -2.5, -0.3, 0, 0.01, 1, 4, 12)],
        "quantile": [[p, v, float(stats.t.ppf(p, v))] for v in (1, 2, 3, 4, 9, 30, 200.5, 5000) for p in (1e-6, 0.025, 0.3, 0.6, 0.95, 0.975, 0.9995)],
        "paired": {name: paired(values) for name, values in cases.items()},
        "power": [[d, n, float(power.power(d, n, 0.05))] for d, n in powers],
        "needed": [[d, float(power.solve_power(effect_size=d, alpha=0.05, power=0.8))] for d in (0.05, 0.2, 0.5, 0.8, 1, 1.5, 2.5)],
    },
    sys.stdout,
    indent=1,
)
print()
