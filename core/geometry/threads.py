"""How many threads linear algebra takes."""

from __future__ import annotations

from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager[object]:
    """One thread for the linear algebra inside: many small problems, whose threads would mostly wait for each other.

    On two busy cores, thousands of decompositions of 55 x 64 numbers took 20 s with it and 200 s without.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")
