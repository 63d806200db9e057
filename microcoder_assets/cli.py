"""The `microcoder` command."""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path

import click

from microcoder_assets.command import command as _command
from microcoder_assets.command import raise_alarms
from microcoder_assets.errors import UserError
from microcoder_assets.llm.commands import batch
from microcoder_assets.nights.commands import alerts
from microcoder_assets.operations import completion
from microcoder_assets.operations.commands import COMMANDS as OPERATIONS
from microcoder_assets.operations.commands import warn_of_trap
from microcoder_assets.project import DEFAULT_HOME, HOME_VARIABLE, Project
from microcoder_assets.publication.commands import COMMANDS
from microcoder_assets.training.commands import runs


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="microcoder")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_HOME,
    envvar=HOME_VARIABLE,
    show_default=True,
    show_envvar=True,
    help="Folder of the store, the models and the Dagster instance.",
)
@click.pass_context
def main(context: click.Context, home: Path) -> None:
    """Curate contest problems for code RL, train a policy on them, and score it.

    \b
    microcoder run                             the whole graph on the sample archive
    microcoder run --source leetcode:FOLDER    ... on your own records
    microcoder backfill --from 2026-01 --to 2026-06    a span of contest months
    microcoder status                          what stands, what is stale, what runs
    microcoder funnel                          where rows went
    microcoder lineage PROBLEM                 one problem's story
    microcoder select --dry-run                what a selection policy would do
    microcoder calibrate --model M             difficulty for one solver
    microcoder batch write                     ask a model offline
    microcoder diff                            what became of the split's rows since the version before
    microcoder export --format verl --output FOLDER    the split in another trainer's columns
    microcoder runs compare A B                two training runs, drawn together
    microcoder sql "FROM why_dropped"          anything else
    """
    warnings.filterwarnings("ignore", message=".*is currently in (beta|preview).*")
    context.obj = home.resolve()


@main.command()
@click.option(
    "--source", "sources", multiple=True, metavar="KIND:PATH",
    help="Where problems come from; may be given several times. Kinds: leetcode, codeforces, kattis, rllm, oi, web; "
    "of Hugging Face sets, by folder or OWNER/NAME@COMMIT: codecontests, codecontests-plus, taco, apps, open-r1, "
    "deepcoder. Remembered for the next run, the web UI and the schedule.",
)
@click.option("--benchmark", type=click.Path(path_type=Path), metavar="PATH",
              help="LiveCodeBench folder, file or OWNER/NAME@COMMIT: scored, and kept out of training.")
@click.option("--no-benchmark", is_flag=True, help="Forget the benchmark: nothing is decontaminated or scored.")
@click.option("--settings", "settings_file", type=click.Path(path_type=Path), metavar="FILE",
              help="TOML file of settings; microcoder_assets/config.py documents each.")
@click.option("--until", default="livecodebench_scores", show_default=True, metavar="ASSET",
              shell_complete=completion.stages, help="Stop when this asset stands.")
@click.pass_obj
@_command
def run(
    home: Path, sources: tuple[str, ...], benchmark: Path | None, no_benchmark: bool, settings_file: Path | None,
    until: str,
) -> None:
    """Make every asset up to --until, redoing only what changed.

    Without options: the sources of the last run, or the sample archive that comes with the package.

    \b
    microcoder run --source leetcode:data/leetcode-doocs --source kattis:packages/ \\
                   --benchmark data/livecodebench --until train_split
    """
    from microcoder_assets import plan
    from microcoder_assets.runner import Runner

    started = time.monotonic()
    wanted = plan.until(until)
    remembered = Project(home) if sources and not _readable(home) else Project.load(home)
    project = remembered.with_inputs(sources, benchmark, settings_file, no_benchmark)
    project.check()
    project.save()
    runner = Runner(project)
    warn_of_trap(home)
    made = runner.run(until)
    _print_funnel(project)
    if "grpo_policy" in wanted:
        _print_scores(project)
    seconds = time.monotonic() - started
    click.echo(f"\n{len(made)} of {len(wanted)} assets made in {seconds:.0f} s" if made else
               f"\nall {len(wanted)} assets unchanged ({seconds:.0f} s)")
    raise_alarms(project.alarms())


@main.command()
@click.option("--by-platform", is_flag=True, help="One line for each stage and platform.")
@click.option("--reasons", is_flag=True, help="Why rows did not go on.")
@click.pass_obj
@_command
def funnel(home: Path, by_platform: bool, reasons: bool) -> None:
    """Where rows go: for each stage, how many came in and how many went each way."""
    from microcoder_assets.reports import text_table
    from microcoder_assets.store.catalogue import query, report

    project = Project.load(home)
    name = "why_dropped" if reasons else "funnel_by_platform" if by_platform else "funnel"
    click.echo(text_table(query(project.store, report(name))))


@main.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write all of it: a .csv or .parquet file.")
@click.pass_obj
@_command
def overlap(home: Path, out: Path | None) -> None:
    """How near the train split is to the benchmark: every benchmark problem with its nearest training row.

    \b
    microcoder overlap --out benchmark_overlap.csv
    """
    from microcoder_assets.processing.benchmark import benchmark_of
    from microcoder_assets.processing.proof import nearest_rows
    from microcoder_assets.reports import text_table
    from microcoder_assets.schema import SPLIT

    if out and out.suffix not in (".csv", ".parquet"):
        raise UserError(f"{out} must end in .csv or .parquet")
    project = Project.load(home)
    proof = nearest_rows(project.store.read("train_split", SPLIT), benchmark_of(project), project.settings)
    if out:
        proof.write_csv(out) if out.suffix == ".csv" else proof.write_parquet(out)
    click.echo(text_table(proof.sort("score", descending=True).head(20)))
    click.echo(f"\n{proof.height} benchmark problems, the nearest first")


@main.command()
@click.argument("problem", shell_complete=completion.problems)
@click.option("--html", "page", is_flag=False, flag_value="", type=click.Path(path_type=Path, dir_okay=False),
              metavar="[FILE]", help="Write it as a page instead, with checks, programs and published versions; "
              "without FILE below HOME/lineage.")
@click.pass_obj
@_command
def lineage(home: Path, problem: str, page: Path | None) -> None:
    """The whole story of one PROBLEM (platform:native-id): every stage's decision and its reason.

    \b
    microcoder lineage codeforces:1920F2
    microcoder lineage codeforces:1920F2 --html story.html
    """
    from microcoder_assets.lineage import story

    project = Project.load(home)
    if page is None:
        click.echo(story(project.store, problem))
        return
    from microcoder_assets.lineage_page import write_page

    click.echo(write_page(project, problem, page if page.name else None))


@main.command()
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), metavar="FILE",
              help="YAML file of a selection policy; by default the one of the settings.")
@click.option("--dry-run", is_flag=True, help="Where rows would go, and the composition before and after.")
@click.option("--explain", "problem", metavar="PROBLEM", help="Why one problem would be in or out.")
@click.pass_obj
@_command
def select(home: Path, policy_file: Path | None, dry_run: bool, problem: str | None) -> None:
    """What a selection policy would do to the calibrated problems that stand. Nothing is written.

    To select by it, name it in the settings, `[selection] policy = "FILE"`, and run.

    \b
    microcoder select --policy policy.yaml --dry-run
    microcoder select --policy policy.yaml --explain codeforces:1920F2
    """
    from microcoder_assets.config import load_policy
    from microcoder_assets.filtering import what_if

    if dry_run == (problem is not None):
        raise UserError("give --dry-run or --explain PROBLEM; `microcoder run` selects by the policy of the settings")
    project = Project.load(home)
    policy = load_policy(policy_file or project.settings.selection.policy)
    click.echo(what_if.explain(project.store, policy, problem) if problem else what_if.dry_run(project.store, policy))


@main.command()
@click.option("--model", required=True, help="The solver: the policy to be trained, or a checkpoint of it.")
@click.option("--step", type=click.IntRange(min=0), help="Training step of the checkpoint.")
@click.option("--attempts", "attempts_file", type=click.Path(path_type=Path), metavar="FILE",
              help="Attempts to import first: JSON lines, or the scores.parquet of microcoder_train. Each row has "
              "problem_id, and accepted or verdict, or else code or completion, which is judged here.")
@click.option("--base-url", help="OpenAI-compatible server to ask for more attempts; by default none is asked.")
@click.pass_obj
@_command
def calibrate(home: Path, model: str, step: int | None, attempts_file: Path | None, base_url: str | None) -> None:
    """Calibrate the scored problems that stand for one solver, beside the calibrations of others.

    Rows go to the table `calibrations`. Those of `calibrated_problems` follow at the next run where
    `[calibration] model` and `step` of the settings name the same solver.

    \b
    microcoder calibrate --model policy --step 400 --attempts attempts.jsonl
    microcoder calibrate --model Qwen/Qwen3-4B --base-url http://localhost:8000/v1
    microcoder sql "SELECT model, step, avg(expected_solve_rate) FROM calibrations GROUP BY ALL"
    """
    from microcoder_assets.filtering.recalibrate import recalibrate
    from microcoder_assets.resources import progress

    project = Project.load(home)
    total = sum(manifest.rows for manifest in project.store.manifests("prepared_problems"))
    with progress("attempting", total) as done:
        report = recalibrate(project, model, step, attempts_file, base_url, done)
    click.echo(report)


@main.command()
@click.argument("statement")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values instead of a table.")
@click.pass_obj
@_command
def sql(home: Path, statement: str, as_csv: bool) -> None:
    """Run one SQL STATEMENT over the store.

    It runs with your rights: COPY and ATTACH write where you can write.

    \b
    Views: one for each asset, and scorings, calibrations, decisions, ledger, funnel, funnel_by_platform, why_dropped,
    standing, problem_timeline; of evaluations scores, leaderboard, leaderboard_by_difficulty; of training
    training_runs, training_curves, training_leaderboard, training_pairs, training_comparison, training_over_seeds.
    microcoder sql "SELECT band, count(*) FROM calibrated_problems GROUP BY band"
    """
    from microcoder_assets.reports import text_table
    from microcoder_assets.store.catalogue import query

    rows = query(Project.load(home).store, statement)
    click.echo(rows.write_csv() if as_csv else text_table(rows))


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
@_command
def evaluate(home: Path, arguments: tuple[str, ...]) -> None:
    """Score policies on this home's benchmark or another suite, or judge recorded generations again.

    The options are those of `python -m microcoder_train evaluate`, and after `regrade` of its `regrade`. Results stand
    in the view `leaderboard`.

    \b
    microcoder evaluate --model mine=FOLDER --preset upstream --style auto
    microcoder evaluate --model mine=NAME --backend openai --base-url http://127.0.0.1:8000/v1 --window paper
    microcoder evaluate --model mine=FOLDER --suite humaneval --benchmark HumanEval.jsonl.gz
    microcoder evaluate regrade FILE
    microcoder sql "FROM leaderboard"
    """
    from microcoder_assets.evaluation.command import evaluate as run_evaluation

    sys.exit(run_evaluation(Project.load(home), arguments))


@main.command()
@click.option("--port", type=int, default=3000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.pass_obj
@_command
def ui(home: Path, port: int, host: str) -> None:
    """The Dagster web UI over this home: its runs, its asset graph, its schedule. Stop it with Ctrl-C."""
    from microcoder_assets.runner import prepare_instance

    prepare_instance(home)
    os.environ[HOME_VARIABLE] = str(home)
    arguments = ["-m", "microcoder_assets.definitions", "--port", str(port), "--host", host]
    os.execv(sys.executable, [sys.executable, "-m", "dagster", "dev", *arguments])


@main.command()
@click.argument("database", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
@_command
def catalogue(home: Path, database: Path) -> None:
    """Write the views as a DuckDB file DATABASE for other clients. It can be deleted and made again at any time."""
    from microcoder_assets.store.catalogue import rebuild

    rebuild(Project.load(home).store, database)
    click.echo(f"views over {home} written to {database}")


for _each in (alerts, batch, runs, *COMMANDS, *OPERATIONS):
    main.add_command(_each)


def _readable(home: Path) -> bool:
    try:
        Project.load(home)
    except UserError:
        return False
    return True


def _print_funnel(project: Project) -> None:
    from microcoder_assets.reports import text_table
    from microcoder_assets.store.catalogue import query, report

    click.echo("\n" + text_table(query(project.store, report("funnel"))))


def _print_scores(project: Project) -> None:
    from microcoder_assets.evaluation.table import score_table
    from microcoder_assets.reports import text_table

    click.echo("\n" + text_table(score_table(project)))


if __name__ == "__main__":
    main()
