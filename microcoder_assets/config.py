"""Every setting of curation, typed, with where its default comes from.

Origins: **paper** (arXiv 2603.07779 unless another is named), **measured** (on real records, docs/curation.md),
**ours** (a choice). Read from TOML by `load_settings`, a selection policy from YAML by `load_policy`; unknown keys are
errors.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from microcoder_assets.errors import UserError


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


S = TypeVar("S", bound=Section)

BANDS = ("easy", "medium", "hard", "expert")
"""Difficulty bands, the easiest first; boundaries are CalibrationSettings."""


def _beside(path: Path, info: ValidationInfo) -> Path:
    return info.context["folder"] / path if info.context else path


BesideSettings = Annotated[Path, AfterValidator(_beside)]
"""A path that a settings file names, from the folder of that file."""


class StoreSettings(Section):
    url: str | None = Field(None, pattern=r"^s3://[^/]+(/.+)?$", description="`s3://BUCKET/PREFIX` of the store, with "
                            "endpoint and keys as AWS_* of the environment (docs/store.md); None: the home's folder. "
                            "Ours.")


class FanOutSettings(Section):
    """Where verification judges. Another engine gives the same rows, so it redoes nothing."""

    engine: Literal["serial", "local", "ray"] = Field("local", description="serial: one program at a time; local: the "
                           "cores of this machine; ray: batches of problems on the nodes of a cluster. Ours.")
    address: str = Field("auto", description="Of the Ray cluster; auto: that of RAY_ADDRESS or of this machine. Ours.")
    cpus: int = Field(8, ge=1, description="CPUs that one batch holds on a node, and workers of its judge. Ours.")


class CollectionSettings(Section):
    max_statement_bytes: int = Field(2_000_000, gt=0, description="Larger statements are error rows. Ours.")
    max_references: int = Field(8, ge=1, description="Submissions kept of a problem for each label and language: sets "
                                "hold thousands of some. Ours.")


class BenchmarkSettings(Section):
    release: str = Field("release_latest", description="LiveCodeBench's tag of what is scored and never trained on: "
                         "release_v6, v6 alone, v5_v6 or release_latest. All of it is ours.")


class DedupSettings(Section):
    shingle_words: int = Field(3, ge=1, description="Words a shingle. Measured: 3 with 0.5 finds reworded stories.")
    permutations: int = Field(128, ge=16, description="MinHash permutations. Ours; standard error about 0.09.")
    bands: int = Field(32, ge=1, description="LSH bands, rows a band = permutations / bands. Ours.")
    min_jaccard: float = Field(0.5, gt=0, le=1, description="Estimated Jaccard that merges. Measured.")
    seed: int = Field(20260321, description="Seed of the permutations; changing it recomputes signatures. Ours.")
    embedding_model: Path | None = Field(None, description="Folder of a multilingual embedding model, for duplicates "
                                         "in two languages; None: samples alone find those. Ours.")
    embedding_similarity: float = Field(0.85, gt=0, le=1, description="Cosine from which a witness joins texts in two "
                                        "languages. Ours, measured with no model; each has a scale of its own.")

    @model_validator(mode="after")
    def _bands_divide(self) -> Self:
        if self.permutations % self.bands:
            raise ValueError(f"bands must divide permutations, and {self.bands} does not divide {self.permutations}")
        return self


class DecontaminationSettings(Section):
    ngram: int = Field(8, ge=2, description="Words a gram for containment. Open-r1's n, used as a ratio (ours).")
    max_containment: float = Field(0.10, gt=0, le=1, description="Share of a row's grams in one item. Measured.")
    boilerplate_items: int = Field(2, ge=2, description="A gram in this many benchmark items is boilerplate. Measured.")
    min_jaccard: float = Field(0.5, gt=0, le=1, description="MinHash similarity to an item that drops. Measured.")
    contest_window: Literal["report", "drop"] = Field("report", description="What becomes of rows whose contest was "
                           "held while the benchmark was collected, and that are like no item. Ours: they are counted, "
                           "because dropping them drops every innocent problem of those months.")
    benchmarks: tuple[Path, ...] = Field((), description="Further benchmark files to keep out of training: JSON lines "
                           "as HumanEval, MBPP and CRUXEval publish them. Ours.")


class ServerSettings(Section):
    """A model behind an OpenAI-compatible server, asked by one stage. Its key is OPENAI_API_KEY."""

    model: str | None = Field(None, description="Model name; None: no server is asked. Ours.")
    base_url: str | None = Field(None, description="OpenAI-compatible endpoint of the model. Ours.")
    budget_usd: float = Field(10.0, gt=0, description="A run stops asking before it spends more. Ours.")
    price_per_million_prompt: float = Field(0.0, ge=0, description="USD per million prompt tokens. Ours.")
    price_per_million_completion: float = Field(0.0, ge=0, description="USD per million completion tokens. Ours.")
    concurrency: int = Field(8, ge=1, description="Requests in flight. Ours.")
    requests_per_minute: int | None = Field(None, ge=1, description="Most requests sent in a minute, evenly spread; "
                                            "None: no limit. Ours.")
    tokens_per_minute: int | None = Field(None, ge=1, description="Most tokens, counted as providers do: of the prompt "
                                          "and of the longest answer allowed, mended when the answer is there. Ours.")
    timeout_s: float = Field(300.0, gt=0, description="Longest silence of a connection. Ours.")
    retries: int = Field(6, ge=0, description="After 408, 409, 429, 5xx, timeouts, broken connections and answers that "
                         "are no completion. Ours.")
    backoff_s: float = Field(0.5, ge=0, description="First back-off; it doubles up to 8 s, with full jitter; a "
                             "Retry-After wins. Ours: as the openai client.")
    plain_requests: bool = Field(False, description="For servers that know neither response_format nor "
                                 "max_completion_tokens: the schema is then in the prompt alone. Ours.")
    offline: bool = Field(False, description="No server is asked: answers come from `microcoder batch` alone, and a "
                          "row without one is an error row. Ours.")
    batch_price: float = Field(1.0, ge=0, le=1, description="Price of a batch's tokens as a share of the prices above; "
                               "providers give a discount. Ours.")


class PreparationSettings(ServerSettings):
    """`model` translates; without one, problems in other languages end as `needs_translation`."""

    languages: tuple[str, ...] = Field(("en",), min_length=1, description="Statement languages to train on; others are "
                                       "translated into the first. The paper translates; which languages is ours.")
    stdin_forms: bool = Field(False, description="Whether function problems get a second row over standard input. The "
                              "paper warns of mixing the two without format instructions; the second row is ours.")


class ScoringSettings(ServerSettings):
    """Without a `model` the embedded scorer answers."""

    draws: int = Field(3, ge=1, description="LLM draws a problem. Paper (third-party full read).")


class CalibrationSettings(ServerSettings):
    """`model` is the solver that solve rates speak of: the policy to be trained. Without one they speak of public
    models. It is asked where `base_url` is set; attempts that were imported count in any case."""

    step: int | None = Field(None, ge=0, description="Training step of `model`; attempts are kept apart by it. Ours.")
    attempts: int = Field(4, ge=1, description="Attempts a problem at first. Paper (third-party full read).")
    most_attempts: int = Field(32, ge=1, description="Attempts near a band's boundary are doubled up to this many. "
                               "arXiv 2603.24202 found 8 too noisy and uses 32.")
    confidence: float = Field(0.8, gt=0, lt=1, description="Probability of its band from which a problem is attempted "
                              "no more. Ours.")
    temperature: float = Field(1.0, ge=0, description="Of the attempts; that of the rollouts to come. Ours.")
    max_tokens: int = Field(8192, ge=1, description="Of one attempt; what is cut off there is not solved. Ours.")
    rating_worth: float = Field(5.0, gt=0, description="Attempts that a rating counts as. Measured: "
                                "docs/calibration.md.")
    map_worth: float = Field(4.0, gt=0, description="Attempts that the map counts as for a problem without a rating. "
                             "Measured: docs/calibration.md.")
    inputs: Literal["score", "features", "both"] = Field("score", description="What the map reads. Ours; the report "
                                                         "compares them.")
    bootstrap: int = Field(200, ge=0, description="Resamples for the map's intervals. Ours.")
    boundaries: Literal["data", "fixed"] = Field("data", description="Natural breaks of the expected solve rates, or "
                                                 "the three below; these too where problems are few. Ours.")
    easy_above: float = Field(0.75, description="Expected solve rate from which a problem is easy. Ours.")
    medium_above: float = Field(0.40, description="... medium. Ours.")
    hard_above: float = Field(0.10, description="... hard; below it expert. Ours.")
    max_error: float = Field(0.08, gt=0, description="Expected calibration error above which the run stops. Ours.")
    min_spearman: float = Field(0.3, ge=-1, le=1, description="Spearman of expected and known rates below which it "
                                "does. Ours.")
    seed: int = Field(0, description="Seed of the bootstrap. Ours.")

    @model_validator(mode="after")
    def _bands_fall(self) -> Self:
        if not 1 >= self.easy_above >= self.medium_above >= self.hard_above >= 0:
            raise ValueError("1 >= easy_above >= medium_above >= hard_above >= 0 must hold")
        return self


class SelectionSettings(Section):
    policy: BesideSettings | None = Field(None, description="YAML file of a SelectionPolicy; None: its defaults. Ours.")


class VerificationSettings(Section):
    workers: int = Field(0, ge=0, description="Judge workers; 0: one a core. Ours.")
    max_references: int = Field(3, ge=1, description="Accepted references run a problem. Ours.")
    headers: Path | None = Field(None, description="Folder with testlib.h, for checkers of CodeContests+; not below "
                                 "/tmp, which a sandbox has its own of. Ours.")
    max_wrong: int = Field(48, ge=0, description="Known-wrong submissions run a problem, each up to the first test it "
                           "fails. Ours: those that were not run, the tests that are kept may let pass.")
    complete_wrong: int = Field(3, ge=0, description="Of those, how many are run on every test where `complete_above` "
                                "asks for it. Ours.")
    complete_above: int = Field(15, ge=0, description="Where a problem has more tests than this, its wrong submissions "
                                "are run on every test, so that a choice can keep those that reject them. Paper: the "
                                "number of tests that it keeps; running them is ours.")
    mutants: int = Field(12, ge=0, description="Mutants of a verified reference run a problem; 0: none. Ours.")
    weak_below: float = Field(0.5, ge=0, le=1, description="Share of killed mutants below which a problem's tests are "
                              "flagged weak_tests. Ours.")
    drop_weak: bool = Field(False, description="Whether those are dropped. Ours: some mutants no test can kill.")
    repeats: int = Field(2, ge=0, description="Further runs of a reference that may be flaky or slow. Ours.")
    near_limit: float = Field(0.5, gt=0, le=1, description="Share of the stretched time limit from which a reference "
                              "may be slow. Ours.")
    default_time_limit_s: float = Field(10.0, gt=0, description="Where the source states none. Ours.")
    time_limit_factor: float = Field(3.0, ge=1, description="Stretches stated limits for Python. Ours.")
    strengthen: bool = Field(False, description="Whether inputs are generated on which programs that the tests let "
                             "pass fail, and kept as tests. Ours.")
    agreeing_references: int = Field(2, ge=1, description="References that must agree on a generated input's answer. "
                                     "Two as in HardTests (arXiv 2505.24098); 1 trusts a single one, repeated.")
    min_agreement: float = Field(0.9, ge=0, le=1, description="Share of generated inputs on which they must agree, or "
                                 "none is kept. As in HardTests (arXiv 2505.24098).")
    strengthen_rounds: int = Field(5, ge=1, description="Rounds of generated inputs a problem. Ours.")
    strengthen_inputs: int = Field(18, ge=1, description="Inputs a round. Ours: two of each family.")
    strengthen_seed: int = Field(0, description="Seed of the generated inputs. Ours.")


class ReadabilitySettings(ServerSettings):
    """`model` reads the statements of problems that are proven; without one nothing is asked."""

    min_readable: int = Field(3, ge=1, le=5, description="Less readable statements are dropped, and incomplete ones. "
                              "The paper checks both by hand; the scale and the limit are ours.")


class PublicationSettings(Section):
    validation_fraction: float = Field(0.2, gt=0, lt=1, description="Share of the dated problems to hold out, the "
                                       "newest. Ours.")
    validation_from: dt.date | None = Field(None, description="First day held out; None: as the share asks for, a "
                                            "later day as newer problems come. Ours.")
    split_salt: str = Field("microcoder-1", description="Where no dates tell problems apart the share is held out by "
                            "hash; its salt. Ours.")
    max_prompt_chars: int = Field(24_000, gt=0, description="Longer prompts are dropped. Ours.")
    max_tests: int = Field(15, ge=1, description="Tests a row carries. Paper (third-party full read), which keeps the "
                           "longest; samples and tests that reject wrong submissions before them are ours.")


class TrainingSettings(Section):
    preset: str = Field("tiny", description="Preset of microcoder_train.config. Ours.")
    model: str = Field("embedded", description="`embedded`, or any Hugging Face model path. Ours.")
    config: Path | None = Field(None, description="YAML or JSON file of values on top of the preset. Ours.")
    max_steps: int = Field(0, ge=0, description="Optimiser steps; 0: the preset's. Ours.")
    seed: int = Field(0, description="Seed of pre-training, sampling and training. Ours.")


class LaunchSettings(Section):
    """Where training and evaluation run. Another place trains the same policy, so it redoes nothing. On another machine
    the home must be at the same path: a volume that both mount."""

    launcher: Literal["local", "k8s", "ray"] = Field("local", description="local: a process of this machine; k8s: "
                                                     "a pod; ray: a job of a Ray cluster. Ours.")
    gpus: int = Field(1, ge=0, description="GPUs of the pod or of the job. Ours.")
    image: str | None = Field(None, description="Image of the pod's container: microcoder[train,gpu]. Ours.")
    namespace: str | None = Field(None, description="Of the pod; None: that of this process, or default. Ours.")
    volume_claim: str | None = Field(None, description="PersistentVolumeClaim that holds the home; the pod mounts it "
                                     "at the home's path. Ours.")
    shared_memory_gib: int = Field(16, ge=1, description="/dev/shm of the pod, which NCCL and vLLM need. Ours.")
    pod: BesideSettings | None = Field(None, description="YAML of a PodSpec to start from: node selectors, "
                                       "tolerations, secrets. Ours.")
    kubeconfig: Path | None = Field(None, description="None: that of the cluster this process is in, or ~/.kube. Ours.")
    address: str | None = Field(None, description="Of Ray's job server, http://HOST:8265; None: RAY_ADDRESS. Ours.")

    @model_validator(mode="after")
    def _pod_is_whole(self) -> Self:
        if self.launcher == "k8s" and not (self.image and self.volume_claim):
            raise ValueError('launcher = "k8s" needs image and volume_claim')
        return self


class ExperimentSettings(Section):
    """The insights of arXiv 2603.07777 rerun as grids of runs; only `insight_experiments` reads it."""

    preset: str = Field("small", description="Preset of microcoder_train.config that the grids change. Ours.")
    model: str = Field("embedded", description="`embedded`, or any Hugging Face model path. Ours.")
    config: Path | None = Field(None, description="JSON file of values on top of the preset. Ours.")
    seeds: int = Field(5, ge=1, description="Runs of each cell. Ours: the paper shows one.")


class EvaluationSettings(Section):
    """Scoring the base and the tuned policy. How they are sampled is the training preset's `benchmark` part."""

    style: str = Field("plain", description="Prompts: plain, those that training uses; auto, LiveCodeBench's for the "
                       "model's family; or one of its styles by name. Ours: the policy is asked as it was trained.")
    window: Literal["all", "paper"] = Field("all", description="Which problems: all, or the 175 of the v6 increment "
                                            "that arXiv 2603.07777 reports on. Ours.")
    cutoffs: dict[str, dt.date] = Field({}, description="Dates to compare before and after, by name: of the model's "
                                        "and the data's knowledge. Ours: none.")


class Settings(Section):
    """All of it. Each stage's code version includes the hash of its own section, so a change redoes that stage."""

    store: StoreSettings = StoreSettings()  # type: ignore[call-arg]
    fan_out: FanOutSettings = FanOutSettings()  # type: ignore[call-arg]
    collection: CollectionSettings = CollectionSettings()  # type: ignore[call-arg]
    benchmark: BenchmarkSettings = BenchmarkSettings()  # type: ignore[call-arg]
    dedup: DedupSettings = DedupSettings()  # type: ignore[call-arg]
    decontamination: DecontaminationSettings = DecontaminationSettings()  # type: ignore[call-arg]
    preparation: PreparationSettings = PreparationSettings()  # type: ignore[call-arg]
    scoring: ScoringSettings = ScoringSettings()  # type: ignore[call-arg]
    calibration: CalibrationSettings = CalibrationSettings()  # type: ignore[call-arg]
    selection: SelectionSettings = SelectionSettings()  # type: ignore[call-arg]
    verification: VerificationSettings = VerificationSettings()  # type: ignore[call-arg]
    readability: ReadabilitySettings = ReadabilitySettings()  # type: ignore[call-arg]
    publication: PublicationSettings = PublicationSettings()  # type: ignore[call-arg]
    training: TrainingSettings = TrainingSettings()  # type: ignore[call-arg]
    launch: LaunchSettings = LaunchSettings()  # type: ignore[call-arg]
    experiments: ExperimentSettings = ExperimentSettings()  # type: ignore[call-arg]
    evaluation: EvaluationSettings = EvaluationSettings()  # type: ignore[call-arg]


class QualityGates(Section):
    """What a row must have. Beyond it, no row goes on that the judge cannot judge: several right answers without a
    checker, or a checker in a language that it does not run."""

    flags: tuple[str, ...] = Field(("needs_image",), description="Rows with one of these flags are dropped. Ours.")
    min_tests: int = Field(1, ge=1, description="Fewest tests. Ours.")
    min_references: int = Field(1, ge=0, description="Fewest accepted Python references; without one verification "
                                "proves nothing. Ours.")


class DifficultyWindow(Section):
    min_score: float = Field(1.0, description="Rubric score below which a problem is too easy. The paper deletes below "
                             "a boundary (2.5 or 2.75 reported); ours keeps all, because the scale differs.")
    min_solve_rate: float = Field(0.01, ge=0, le=1, description="Expected solve rate below which it is too hard. "
                                  "arXiv 2603.24202.")
    max_solve_rate: float = Field(0.97, ge=0, le=1, description="Above it is too easy. arXiv 2603.24202.")


class Recency(Section):
    """An older problem is drawn later: its weight is 2 ** ((published - undated) / half_life)."""

    half_life_months: float = Field(ge=3, description="Age in which a problem's weight halves. The paper prefers "
                                    "recent problems and gives no number: ours to choose.")
    undated: dt.date = Field(dt.date(2020, 1, 1), description="When problems without a date count as published. Ours.")


def _cap(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"a cap is a number of rows or a share, not {value!r}")
    if value < 0 or (isinstance(value, float) and not 0 < value < 1):
        raise ValueError(f"a cap is a whole number of rows from 0 on, or a share between 0 and 1, not {value!r}")
    return value


Cap = Annotated[int | float, BeforeValidator(_cap)]
"""At most this many of the selected rows, or this share of them, rounded up."""


class Caps(Section):
    """By value; `*` stands for each value that is not named."""

    band: dict[Literal["easy", "medium", "hard", "expert", "*"], Cap] = Field({}, description="Difficulty bands. Four "
                           "shares that sum to 1 are targets: the draw ends when one of them can no longer be met. The "
                           "paper reports an easy share of about 0.2; no caps by default is ours.")
    platform: dict[str, Cap] = Field({}, description="By platform: `codeforces`. Ours.")
    contest: dict[str, Cap] = Field({}, description="By platform and contest: `codeforces:1920`. Ours.")
    tag: dict[str, Cap] = Field({}, description="By tag in lower case; a problem counts for each of its tags. Ours.")

    @model_validator(mode="after")
    def _bands_suffice(self) -> Self:
        caps = [self.of("band", band) for band in BANDS]
        shares = [cap[1] for cap in caps if cap and isinstance(cap[1], float)]
        if len(shares) == len(BANDS) and sum(shares) < 1 - 1e-9:
            raise ValueError(f"shares of the four bands sum to {sum(shares):g}; below 1 no selection can have them")
        return self

    def of(self, kind: str, value: str) -> tuple[str, int | float] | None:
        """The cap on one value, and its name; None where there is none."""
        caps: Mapping[str, int | float] = getattr(self, kind)
        key = value if value in caps else "*"
        return (f"caps.{kind}.{key}", caps[key]) if key in caps else None


class SelectionPolicy(Section):
    """What training is given of the calibrated problems: those sound enough and of the difficulty wanted and, where
    `size` or `caps` allow fewer, a weighted draw of them. docs/selection.md shows a whole file."""

    gates: QualityGates = Field(QualityGates(), description="What a row must have. Ours.")  # type: ignore[call-arg]
    difficulty: DifficultyWindow = Field(DifficultyWindow(), description="Limits of arXiv 2603.24202.")  # type: ignore[call-arg]
    recency: Recency | None = Field(None, description="Weights of the draw; None: all weigh 1. Ours.")
    caps: Caps = Field(Caps(), description="What limits the draw. Ours.")  # type: ignore[call-arg]
    size: int | None = Field(None, ge=1, description="Most rows in all. The paper ends with 13,300; no limit is ours.")
    seed: int = Field(0, description="Seed of the draw. Ours.")

    @property
    def draws(self) -> bool:
        """Whether anything limits the rows that pass gates and window."""
        return self.size is not None or self.caps != Caps()  # type: ignore[call-arg]


class Site(Section):
    """One site that is asked. since: the first contest month wanted, `YYYY-MM`."""

    since: str = Field(pattern=r"^20\d\d-(?:0[1-9]|1[0-2])$", description="First contest month wanted.")


class CodeforcesSite(Site):
    api: str = Field("https://codeforces.com/api", description="Where its API is.")
    site: str = Field("https://codeforces.com", description="Where its problem pages are.")


class AtCoderSite(Site):
    api: str = Field("https://kenkoooo.com/atcoder/resources", description="Where AtCoder Problems' lists are.")
    site: str = Field("https://atcoder.jp", description="Where task pages are.")


class LeetCodeSite(Site):
    graphql: str = Field("https://leetcode.com/graphql", description="Its GraphQL endpoint.")


class WebSettings(Section):
    """`web.toml` of a web source: which sites are asked, and how. A site without a section is never asked."""

    contact: str = Field(min_length=1, pattern=r"^[\x20-\x7e]+$", description="Mail or page in the User-Agent: how "
                         "a site can reach who asks.")
    requests_per_s: float = Field(0.5, gt=0, description="Per host. Codeforces allows its API one call in 2 s; for the "
                                  "others ours. A larger Crawl-delay of robots.txt wins.")
    fresh_s: float = Field(6 * 3600, ge=0, description="A younger answer is used without asking again. Ours.")
    timeout_s: float = Field(30.0, gt=0, description="Longest silence of a connection. Ours.")
    longest_answer_s: float = Field(120.0, gt=0, description="Longest time for one whole answer. Ours.")
    max_bytes: int = Field(64 << 20, gt=0, description="Larger answers are not taken. Ours.")
    retries: int = Field(4, ge=0, description="After 429, 5xx and broken connections. Ours.")
    backoff_s: float = Field(2.0, ge=0, description="First back-off; it doubles, with full jitter. Ours.")
    longest_wait_s: float = Field(300.0, gt=0, description="A longer Retry-After ends the night for that site. Ours.")
    codeforces: CodeforcesSite | None = None
    atcoder: AtCoderSite | None = None
    leetcode: LeetCodeSite | None = None


def load_settings(path: Path | None) -> Settings:
    """Settings from a TOML file, defaults where it is silent. Raises UserError naming the file and the key."""
    return Settings() if path is None else load_section(path, Settings)


def load_web_settings(path: Path) -> WebSettings:
    """The same of a `web.toml`."""
    return load_section(path, WebSettings)


def load_policy(path: Path | None) -> SelectionPolicy:
    """The same of a selection policy, which is YAML."""
    if path is None:
        return SelectionPolicy()  # type: ignore[call-arg]
    return load_section(path, SelectionPolicy, "policy", "YAML", _mapping)


def _mapping(text: str) -> Any:
    return yaml.safe_load(text) or {}


def load_section(
    path: Path, model: type[S], what: str = "settings file", form: str = "TOML",
    parse: Callable[[str], Any] = tomllib.loads,
) -> S:
    """A settings file as `model`. Raises UserError naming the file and the key."""
    try:
        raw = parse(path.read_text(encoding="utf-8"))
        return model.model_validate(raw, context={"folder": path.parent})
    except FileNotFoundError as error:
        raise UserError(f"{what} {path} does not exist") from error
    except IsADirectoryError as error:
        raise UserError(f"{what} {path} is a folder; name a {form} file") from error
    except (tomllib.TOMLDecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{what} {path} is not valid {form}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{what} {path}: {f'{key}: ' if key else ''}{first['msg']}") from error
