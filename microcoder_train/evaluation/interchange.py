"""Results in the forms of others: LiveCodeBench's `eval_all.json`, and the results file of lm-evaluation-harness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from microcoder_train.artifacts import write_json
from microcoder_train.evaluation.scoring import Graded
from microcoder_train.evaluation.tasks import Suite, Task


def write_eval_all(path: Path, suite: Suite, samples: Sequence[Graded]) -> None:
    """What `python -m lcb_runner.evaluation.compute_scores --eval_all_file` reads, problems by question id.

    A sample that could not be judged counts as wrong there: the form knows no third value. Problems without a date
    have the first day that there is.
    """
    tasks = {task.problem_id: task for task in suite.tasks}
    groups: dict[str, list[Graded]] = {}
    for sample in samples:
        groups.setdefault(sample.problem_id, []).append(sample)
    entries = [_entry(tasks[problem_id], own) for problem_id, own in groups.items()]
    write_json(path, sorted(entries, key=lambda entry: str(entry["question_id"])))


def _entry(task: Task, samples: Sequence[Graded]) -> dict[str, Any]:
    graded = [item.accepted is True for item in samples]
    return {
        "question_title": task.title,
        "question_content": task.statement,
        "platform": task.platform,
        "question_id": task.question_id,
        "contest_id": task.contest or "",
        "contest_date": f"{task.published or '0001-01-01'}T00:00:00",
        "starter_code": task.starter_code or "",
        "difficulty": task.difficulty,
        "output_list": [item.completion for item in samples],
        "code_list": [item.code or "" for item in samples],
        "graded_list": graded,
        "pass@1": graded.count(True) / len(graded),
        "metadata": [{"verdict": item.verdict, "error_message": item.message} for item in samples],
    }


def write_harness_results(path: Path, record: Mapping[str, Any], model: str) -> None:
    """The `results` layout of lm-evaluation-harness for one policy; standard errors come from the 95 % interval.

    Source: EleutherAI/lm-evaluation-harness, `results_*.json` as `EvaluationTracker` writes it. No date is written.
    """
    card = record["cards"][model]
    values: dict[str, Any] = {"alias": record["suite"]}
    for name, estimate in card["pass@k"].items():
        values[f"{name},none"] = estimate["pass@1"]
        values[f"{name}_stderr,none"] = _error(estimate)
    overall = card["rules"]["official"]["problems"]
    settings = record["config"]
    write_json(
        path,
        {
            "results": {record["suite"]: values},
            "group_subtasks": {record["suite"]: []},
            "configs": {
                record["suite"]: {
                    "task": record["suite"],
                    "output_type": "generate_until",
                    "repeats": card["samples"],
                    "generation_kwargs": {
                        "do_sample": True,
                        "temperature": settings["temperature"],
                        "top_p": settings["top_p"],
                        "max_gen_toks": settings["max_completion_tokens"],
                    },
                    "metadata": {"version": record["data_version"]},
                }
            },
            "versions": {record["suite"]: record["data_version"]},
            "n-shot": {record["suite"]: 0},
            "higher_is_better": {record["suite"]: dict.fromkeys(card["pass@k"], True)},
            "n-samples": {record["suite"]: {"original": overall, "effective": overall}},
            "config": {"model": model, "random_seed": record["seed"]},
            "model_name": model,
        },
    )


def _error(estimate: Mapping[str, float | None]) -> float | str:
    low, high = estimate["low"], estimate["high"]
    return "N/A" if low is None or high is None else (high - low) / (2 * 1.96)
