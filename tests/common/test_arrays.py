from dataclasses import dataclass

import numpy as np
import pytest

from tradesim.common.arrays import map_arrays, ratio


def test_a_ratio_is_the_quotient_where_there_is_a_whole_and_what_is_named_elsewhere():
    part, whole = np.array([[3.0], [5.0]]), np.array([2.0, 0.0, -4.0])
    assert ratio(part, whole).tolist() == [[1.5, 0.0, -0.75], [2.5, 0.0, -1.25]]
    assert ratio(part, whole, none=1.0).tolist() == [[1.5, 1.0, -0.75], [2.5, 1.0, -1.25]]
    assert ratio(3.0, np.array([2.0, 0.0])).tolist() == [1.5, 0.0]


@dataclass(frozen=True)
class Cells:
    price: np.ndarray
    trade: np.ndarray
    name: str = "all"


def test_a_function_is_applied_to_every_array_and_to_nothing_else():
    cells = Cells(np.array([1.0, 2.0, 3.0]), np.array([[4.0], [5.0], [6.0]]))
    taken = map_arrays(cells, lambda array: array[[2, 0]])
    assert taken.price.tolist() == [3.0, 1.0]
    assert taken.trade.tolist() == [[6.0], [4.0]]
    assert taken.name == "all"
    with pytest.raises(IndexError):
        map_arrays(cells, lambda array: array[3])
