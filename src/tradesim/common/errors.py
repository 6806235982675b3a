"""The errors a user can act on."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

WRONG_NAME = frozenset({errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP,
                        errno.EACCES, errno.EPERM, errno.EINVAL})
"""Errors of the system that a user mends by naming another file."""


class TradesimError(Exception):
    """An error whose message alone tells the user what happened and what to do."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one input, in the words a user needs to mend it."""

    file: str  #: the file, or the command-line option
    key: str  #: dotted key, or column and row; empty when the whole file is meant
    #: what is wrong and what is allowed; nearest known name, or how to list the names
    message: str
    hint: str = ""
    #: position in the file, counted from 1
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        position = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        text = ": ".join(part for part in (position, self.key, self.message) if part)
        return f"{text}; {self.hint}" if self.hint else text


class InputError(TradesimError):
    """Bad input: every problem of it in the order of the file, one line each (exit code 2)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConvergenceError(TradesimError):
    """A solver or sampler did not converge: what, how far off, and in which draws (from zero)."""

    def __init__(self, where: str, residual: float, draws: Sequence[int] = ()) -> None:
        self.where, self.residual, self.draws = where, residual, tuple(draws)
        first = ", ".join(str(draw) for draw in self.draws[:10])
        more = f" and {len(self.draws) - 10} more" if len(self.draws) > 10 else ""
        noun = "draw" if len(self.draws) == 1 else "draws"
        draws_text = f" in {noun} {first}{more}" if self.draws else ""
        super().__init__(f"{where} did not converge{draws_text}; largest residual {residual:.3g}")

    def moved(self, renumber: Callable[[int], int]) -> ConvergenceError:
        """Give the same error with its draws counted in another way."""
        return ConvergenceError(self.where, self.residual,
                                sorted({renumber(draw) for draw in self.draws}))


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name nearest to `name`: ``did you mean 'x'?``, or an empty text.

    A name that begins with what was written is nearer than one that only looks like it.
    """
    names, text = list(known), str(name)
    longer = [other for other in names if len(text) > 2 and other.startswith(text)]
    match = longer or get_close_matches(text, names, n=1, cutoff=0.6)
    return f"did you mean '{match[0]}'?" if match else ""
