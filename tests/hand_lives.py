"""Purchase histories for the tests of the lifetime models: the published sample, and made-up customers."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

CALIBRATION_END = pd.Timestamp("1997-09-30")


def cdnow_log() -> pd.DataFrame:
    """The orders of the 2,357 customers of the CDNOW sample that the package lifetimes carries (found unimported)."""
    found = importlib.util.find_spec("lifetimes")
    path = Path(found.submodule_search_locations[0]) / "datasets" / "CDNOW_sample.txt"
    names = ["master", "customer", "day", "discs", "spend"]
    log = pd.read_csv(path, sep=r"\s+", header=None, names=names)
    return log.assign(day=pd.to_datetime(log["day"].astype(str), format="%Y%m%d"))


def cdnow_history() -> pd.DataFrame:
    """x, t_x, T in weeks to the end of the 39th, and spend (mean of the repeat purchases; NaN at x = 0)."""
    log = cdnow_log()
    days = log[log["day"] <= CALIBRATION_END].groupby(["customer", "day"], as_index=False)["spend"].sum()
    days["nth"] = days.groupby("customer").cumcount()
    told = days.groupby("customer").agg(first=("day", "min"), last=("day", "max"), x=("nth", "max"))
    told["spend"] = days[days["nth"] > 0].groupby("customer")["spend"].mean()
    told["t_x"] = (told["last"] - told["first"]).dt.days / 7
    told["T"] = (CALIBRATION_END - told["first"]).dt.days / 7
    return told[["x", "t_x", "T", "spend"]].reset_index(drop=True)


def made_history(customers: int, *, seed: int, r=0.8, alpha=8.0, a=0.8, b=3.0, weeks=100.0) -> pd.DataFrame:
    """Customers drawn from BG/NBD who came evenly over `weeks`, in continuous time."""
    rng = np.random.default_rng(seed)
    T = rng.uniform(0, weeks, customers)
    rate, stop = rng.gamma(r, 1 / alpha, customers), rng.beta(a, b, customers)
    x, t_x, now, active = np.zeros(customers), np.zeros(customers), np.zeros(customers), np.arange(customers)
    while len(active):
        now[active] += rng.exponential(1 / rate[active])
        active = active[now[active] <= T[active]]
        x[active], t_x[active] = x[active] + 1, now[active]
        active = active[rng.random(len(active)) >= stop[active]]
    return pd.DataFrame({"x": x.astype(int), "t_x": t_x, "T": T})
