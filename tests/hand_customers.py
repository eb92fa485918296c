"""Small tables of customers by hand: recency, frequency, monetary value."""

import numpy as np
import pandas as pd


def people(recency, frequency, monetary):
    ids = [f"c{i:04d}" for i in range(len(recency))]
    return pd.DataFrame(
        {"customer_id": ids, "recency_days": recency, "frequency": frequency, "monetary": np.asarray(monetary, float)}
    )


def random_people(seed, n=300):
    rng = np.random.default_rng(seed)
    return people(rng.integers(0, 500, n), rng.geometric(0.6, n), rng.integers(1, 40_000, n) / 100)
