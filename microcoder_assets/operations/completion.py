"""Names that a shell completes: stages, platforms, problems of the home."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem, get_completion_class

from microcoder_assets.collection.platforms import PLATFORMS

PROGRAM = "microcoder"
VARIABLE = "_MICROCODER_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
SHOWN = 100
"""Problems offered at a time. Ours."""

_WHOLE_IDS = "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n"
"""Bash cuts words at colons, and a problem id has one."""


def script(main: click.Command, shell: str) -> str:
    """What a shell has to source."""
    found = get_completion_class(shell)
    assert found is not None
    return (_WHOLE_IDS if shell == "bash" else "") + found(main, {}, PROGRAM, VARIABLE).source()


def stages(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from microcoder_assets.plan import STAGES

    partitioned = [name for name, stage in STAGES.items() if stage.partitioned]
    names = partitioned if parameter.name == "stage" else STAGES
    return _beginning(names, incomplete)


def platforms(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """After a comma the next name."""
    before, comma, last = incomplete.rpartition(",")
    return _beginning([f"{before}{comma}{name}" for name in PLATFORMS], f"{before}{comma}{last}")


def problems(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids that the home's store knows, the first SHOWN."""
    from microcoder_assets.project import Project
    from microcoder_assets.store.catalogue import query

    home = context.find_root().params["home"].resolve()
    sql = f"SELECT problem_id FROM standing WHERE starts_with(problem_id, ?) ORDER BY problem_id LIMIT {SHOWN}"
    return _beginning(query(Project.load(home).store, sql, [incomplete])["problem_id"].to_list(), incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
