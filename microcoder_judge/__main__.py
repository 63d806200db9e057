"""`python -m microcoder_judge COMMAND`: each command is a module with `add_arguments(parser)` and `main(options)`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from microcoder_judge.command import CommandError, say
from microcoder_judge.records import RecordError
from microcoder_judge.worker import SandboxRefused

COMMANDS = {
    "run": ("run", "judge JSON lines: a submission a line in, a result a line out"),
    "explain": ("explain", "judge one submission and say what happened and why"),
    "report": ("report", "show where LiveCodeBench's own semantics give another verdict, and why"),
    "kattis": ("kattis", "judge the submissions of Kattis packages against their labels"),
    "serve": ("server", "give one pool to many processes through a Unix socket"),
    "doctor": ("doctor", "say what sandbox this host gives and what would raise it"),
}
"""Command: the module that does it, imported only then, and what it does."""

PROGRAM = "python -m microcoder_judge"

EPILOG = "\n".join(
    [
        "commands:",
        *(f"  {name:<9} {text}" for name, (_, text) in COMMANDS.items()),
        "",
        "example:",
        f"  {PROGRAM} run --input submissions.jsonl --output verdicts.jsonl --workers 2",
        f"  {PROGRAM} run --help",
    ]
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Its mistakes and its end by Ctrl-C (130) or a closed pipe (1) are one line each."""
    parser = _parser(PROGRAM, "Verdicts on untrusted programs, as an online judge gives them.")
    parser.epilog = EPILOG
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="of the command; it explains --help")
    chosen = parser.parse_args(arguments)
    module, text = COMMANDS[chosen.command]
    command = importlib.import_module(f"microcoder_judge.{module}")
    parser = _parser(f"{PROGRAM} {chosen.command}", f"{text[0].upper()}{text[1:]}.")
    command.add_arguments(parser)
    try:
        status = int(command.main(parser.parse_args(chosen.arguments)))
        print(end="", flush=True)
    except (CommandError, RecordError, SandboxRefused) as error:
        say(str(error))
        return 2
    except BrokenPipeError:
        say("the reader of the output is gone")
        # What is still unwritten must not be tried again at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return status


def _parser(program: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=program, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


if __name__ == "__main__":
    sys.exit(main())
