"""What a suite's tests do not show: an input on which a mutant that passes them parts from the reference.

Inputs are those of the tests with small changes: numbers one further, items doubled, dropped or swapped. They keep to
the shape of the tests' inputs; whether a task means them is for its reader to say. Inputs at which the reference itself
fails do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from microcoder_judge import Judge, Limits, Problem, Submission, Test
from microcoder_train.evaluation.suites import HumanEval
from microcoder_train.evaluation.tasks import Task

INPUTS = 2000
"""Changed inputs tried for each mutant."""

LIMITS = Limits(time_s=60.0, memory_mb=4096)
LONGEST = 200
"""Characters of an input that is shown; longer ones are not tried."""

SECONDS_AN_INPUT = 0.5
"""An answer that takes longer counts as none; both programs have it for each input."""

NO_DIFFERENCE = "no difference"

PROGRAM = r'''
import copy as _copy, random as _random, signal as _signal, sys as _sys, io as _io

_out, _sys.stdout = _sys.stdout, _io.StringIO()

class _Slow(BaseException):
    pass

def _late(*_):
    raise _Slow

_signal.signal(_signal.SIGALRM, _late)

def _load(source):
    space = {"__name__": "program"}
    exec(source, space)
    return space

def _answer(function, arguments):
    """Whether it answered, and what: the value's repr, or how it failed."""
    _signal.setitimer(_signal.ITIMER_REAL, SECONDS)
    try:
        return True, repr(function(*_copy.deepcopy(arguments)))
    except _Slow:
        return False, "no answer in time"
    except Exception as error:
        return False, type(error).__name__
    finally:
        _signal.setitimer(_signal.ITIMER_REAL, 0)

def _near(value, draw):
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return draw.choice([value + 1, value - 1, value * 2, value // 2, draw.randint(0, 20), value])
    if isinstance(value, float):
        return draw.choice([value + 1, value / 2, round(value), value * 1.001, value])
    if isinstance(value, (str, list, tuple)):
        items, kind = list(value), type(value)
        for _ in range(draw.randint(1, 3)):
            if not items:
                break
            at, other = draw.randrange(len(items)), draw.randrange(len(items))
            step = draw.randrange(5)
            if step == 0:
                items.insert(at, items[other])
            elif step == 1:
                del items[at]
            elif step == 2:
                items[at], items[other] = items[other], items[at]
            elif step == 3:
                items[at] = items[other]
            elif isinstance(value, str):
                items[at] = draw.choice([chr(max(32, min(126, ord(items[at]) + draw.choice([-1, 1])))), " "])
            else:
                items[at] = _near(items[at], draw)
        return "".join(items) if kind is str else kind(items)
    if isinstance(value, dict):
        return {key: _near(item, draw) for key, item in value.items() if draw.random() < 0.9}
    return value

_space = _load(REFERENCE)
_reference, _mutant = _space[ENTRY], _load(MUTANT)[ENTRY]
_seen = []

def _recorder(*arguments):
    _seen.append(_copy.deepcopy(arguments))
    return _reference(*arguments)

exec(TEST, _space)
_space["check"](_recorder)
_draw = _random.Random(0)
_said = NOTHING
for _ in range(INPUTS if _seen else 0):
    _arguments = tuple(_near(each, _draw) for each in _draw.choice(_seen))
    _answered, _right = _answer(_reference, _arguments)
    if not _answered or len(repr(_arguments)) > LONGEST:
        continue
    _, _other = _answer(_mutant, _arguments)
    if _right != _other:
        _said = "%s(%s) is %s, of the mutant %s" % (ENTRY, ", ".join(map(repr, _arguments)), _right, _other)
        break
_out.write(_said)
'''


@dataclass(frozen=True)
class Survivor:
    """A changed program of a task that passes the task's tests."""

    task: Task
    reference: str
    mutant: str


def witnesses(judge: Judge, suite: HumanEval, survivors: Sequence[Survivor]) -> list[str]:
    """For each survivor an input with both answers, or `no difference`, or why the search itself ended."""
    submissions = []
    for survivor in survivors:
        item = suite.items[survivor.task.problem_id]
        given = {
            "ENTRY": item["entry_point"], "REFERENCE": survivor.reference, "MUTANT": survivor.mutant,
            "TEST": item["test"], "NOTHING": NO_DIFFERENCE,
            "INPUTS": INPUTS, "LONGEST": LONGEST, "SECONDS": SECONDS_AN_INPUT,
        }  # fmt: skip
        code = "".join(f"{name} = {value!r}\n" for name, value in given.items()) + PROGRAM
        problem = Problem(survivor.task.problem_id, (Test(b"", b"", "search"),), LIMITS)
        submissions.append(Submission(code, problem, id=survivor.task.problem_id))
    return [_said(result.tests[0].output, result.verdict) for result in judge.run_many(submissions)]


def _said(output: bytes, verdict: str) -> str:
    return output.decode(errors="replace") or f"the search ended with {verdict}"
