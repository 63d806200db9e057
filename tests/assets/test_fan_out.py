import math
import os
from collections.abc import Callable

import pytest

from microcoder_assets.fan_out import FEW, map_on_cores


def process_of(_: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("count", [0, 1, FEW - 1, FEW + 1])
def test_results_come_in_the_order_of_the_items(count: int) -> None:
    assert list(map_on_cores(math.isqrt, range(count))) == [math.isqrt(n) for n in range(count)]


@pytest.mark.skipif(os.cpu_count() == 1, reason="there is one core")
def test_only_many_items_leave_this_process() -> None:
    assert set(map_on_cores(process_of, range(FEW - 1))) == {os.getpid()}
    assert os.getpid() not in set(map_on_cores(process_of, range(FEW)))


@pytest.mark.parametrize("count", [1, FEW])
def test_what_the_function_raises_is_raised_here(count: int) -> None:
    root: Callable[[int], float] = math.sqrt
    with pytest.raises(ValueError, match=r"domain|expected"):
        list(map_on_cores(root, [-1] * count))
