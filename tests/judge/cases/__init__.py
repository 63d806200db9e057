"""Labelled cases: a problem, an answer, and whether a judge accepts it, with the rule that says so.

Three groups: `stdout` compares what is printed, `values` what a function returns, `programs` what a whole program does
with its streams, its names and its exit. Labels are set by hand from the rules that judges document; those marked
"ours" are our policy where judges disagree.
"""

from cases.case import Case, Group
from cases.programs import PROGRAMS
from cases.stdout import STDOUT
from cases.values import VALUES

CASES: tuple[Case, ...] = (*STDOUT, *VALUES, *PROGRAMS)

__all__ = ["CASES", "Case", "Group"]
