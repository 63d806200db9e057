"""What the policy is asked: the statement, how to read and answer, and the starter code."""

from __future__ import annotations

STDIN = (
    "Read from standard input and print the answer to standard output. "
    "Answer with one Python program in a ```python block."
)
FUNCTION = "Complete this function. Answer with the whole of it in one ```python block."


def build_prompt(statement: str, io_mode: str, starter_code: str | None) -> str:
    """The prompt of a split or benchmark row; both kinds of problem say plainly how the answer is judged."""
    if io_mode == "function":
        return f"{statement.strip()}\n\n{FUNCTION}\n\n```python\n{(starter_code or '').rstrip()}\n```\n"
    return f"{statement.strip()}\n\n{STDIN}\n"
