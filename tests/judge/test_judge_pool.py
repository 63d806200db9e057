"""The Judge object: order, duplicates, threads, event loops, closing, languages."""

from __future__ import annotations

import ast
import asyncio
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

import microcoder_judge
from microcoder_judge import Checker, Judge, LanguageNotSupported, Limits, Problem, Result, Submission, Test

DOUBLE = Problem("double", (Test(b"4", b"8"),))
TRIPLE = Problem("triple", (Test(b"4", b"12"),))


def multiply(factor: int, problem: Problem = DOUBLE) -> Submission:
    return Submission(f"print(int(input()) * {factor})", problem)


def test_results_come_in_the_order_given(judge: Judge) -> None:
    submissions = [replace(multiply(2 + n % 2, (DOUBLE, TRIPLE)[n // 2 % 2]), id=str(n)) for n in range(8)]
    results = judge.evaluate_many(submissions)
    assert [(r.problem_id, r.submission_id) for r in results] == [(s.problem.id, s.id) for s in submissions]
    assert [r.accepted for r in results] == [True, False, False, True] * 2


def test_equal_pairs_run_once(judge: Judge) -> None:
    clock = "import time\nprint(time.time_ns())"
    same = Problem("double", (Test(b"4", b"8"),))
    first, other, second = judge.evaluate_many([Submission(clock, p) for p in (DOUBLE, TRIPLE, same)])
    assert first.message == second.message != other.message


def test_progress_counts_pairs(judge: Judge) -> None:
    seen: list[int] = []
    judge.evaluate_many([multiply(n % 3) for n in range(6)], progress=seen.append)
    assert seen == [2, 4, 6]


def test_nothing_to_do(judge: Judge) -> None:
    assert judge.evaluate_many([]) == []


def test_an_error_in_progress_reaches_the_caller(judge: Judge) -> None:
    def fail(_: int) -> None:
        raise RuntimeError("stop here")

    with pytest.raises(RuntimeError, match="stop here"):
        judge.evaluate_many([multiply(n) for n in range(50)], progress=fail)
    assert judge.evaluate(multiply(2)).accepted


def test_two_threads_share_a_judge(judge: Judge) -> None:
    found: dict[int, list[Result]] = {}

    def work(factor: int) -> None:
        found[factor] = judge.evaluate_many([Submission(f"# {n}\nprint(4 * {factor})", DOUBLE) for n in range(6)])

    threads = [threading.Thread(target=work, args=(factor,)) for factor in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(result.accepted for result in found[2])
    assert not any(result.accepted for result in found[3])


def test_event_loops_are_not_blocked(judge: Judge) -> None:
    async def both() -> tuple[list[Result], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        slow = Submission("import time\ntime.sleep(0.3)\nprint(8)", DOUBLE)
        results = await asyncio.gather(judge.aevaluate(slow), judge.aevaluate(multiply(3)))
        ticking.cancel()
        return list(results), ticks

    results, ticks = asyncio.run(both())
    assert [r.accepted for r in results] == [True, False]
    assert ticks > 10


@pytest.mark.parametrize("language", ["rust", "", "Python"])
def test_other_languages_are_refused_before_anything_runs(judge: Judge, tmp_path: Path, language: str) -> None:
    log = tmp_path / "log"
    first = f"open({str(log)!r}, 'w').write('x')"
    with pytest.raises(LanguageNotSupported, match=f"program in '{language}'"):
        judge.evaluate_many([Submission(first, DOUBLE), Submission("int main() {}", DOUBLE, language)])
    with pytest.raises(LanguageNotSupported):
        judge.evaluate(Submission("int main() {}", DOUBLE, language=language))
    checked = Problem("p", (Test(b"", b""),), checker=Checker("custom", program="fn main() {}", language="rust"))
    with pytest.raises(LanguageNotSupported, match="checker in 'rust'"):
        judge.evaluate(Submission(first, checked))
    assert not log.exists()


def test_closing_drops_what_has_not_begun() -> None:
    slow = Problem("slow", (Test(b"", b"x"),), limits=Limits(time_s=0.2))
    judge = Judge(workers=1)
    futures = [judge.submit(Submission(f"# {n}\nwhile True: pass", slow)) for n in range(20)]
    judge.close()
    assert all(future.done() for future in futures)
    assert sum(future.cancelled() for future in futures) >= 15
    with pytest.raises(RuntimeError):
        judge.evaluate(multiply(2))


def test_workers_and_interpreter_are_checked() -> None:
    with pytest.raises(ValueError, match="workers"):
        Judge(workers=-1)
    with pytest.raises(ValueError, match="nowhere/python"):
        Judge(interpreter="/nowhere/python")
    with Judge() as judge:
        assert judge.workers >= 1


def test_the_package_imports_the_standard_library_only() -> None:
    folder = Path(microcoder_judge.__file__).parent
    own = {"microcoder_judge", "ray", *(path.stem for path in folder.glob("_*.py"))}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.partition(".")[0]
                assert top in sys.stdlib_module_names or top in own, path.name
