"""A solver's attempts at the problems to be calibrated: asked for, judged, counted, and asked for again where a few do
not tell the band.

Every problem that can be judged is attempted `settings.attempts` times. While the probability that a problem lies in
its likeliest band is below `settings.confidence`, its attempts are doubled, up to `settings.most_attempts`. Imported
attempts count first; a server is asked for the rest. An answer without a program is a failed attempt; one that the
judge itself failed on, or that the server did not give, is none. arXiv 2603.07779 makes four attempts; all else is ours.

Answers are kept in the LLM cache of the solver, verdicts by the program and the content of the problem: a killed run
goes on where it was, and a night pays for new problems only.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from microcoder_assets.config import CalibrationSettings, VerificationSettings
from microcoder_assets.filtering.attempts import Attempt, ImportedAttempts
from microcoder_assets.filtering.bands import Boundaries, boundaries_of
from microcoder_assets.filtering.calibrate import expected_solve_rates
from microcoder_assets.llm.budget import BudgetSpent
from microcoder_assets.llm.cache import Cache
from microcoder_assets.llm.client import AnswerError, ChatClient, Message
from microcoder_assets.publication.prompt import build_prompt
from microcoder_assets.schema import ATTEMPTED, TABLE_LIMIT
