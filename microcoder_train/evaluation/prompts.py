"""LiveCodeBench's prompts by model family, character for character: scores are comparable only where prompts are equal.

Source: `lcb_runner/prompts/code_generation.py` and `lcb_runner/lm_styles.py` at 28fef95; a style has upstream's name.
Styles with chat templates of their own (CodeQwenInstruct, QwQ, DeepSeekR1) are text to continue, as upstream sends it;
where upstream applies a model's tokenizer (LLaMa3), messages go to the template of the policy's own tokenizer.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from microcoder_train.errors import TrainError
from microcoder_train.evaluation.tasks import Prompt, Task

PLAIN = "plain"
"""The row's own prompt, in this project's words: for policies that were trained on it."""

EXPERT = (
    "You are an expert Python programmer. You will be given a question (problem specification) and will generate a "
    "correct Python program that matches the specification and passes all tests."
)
GEMINI = (
    f"{EXPERT} Do NOT use system calls like `exit` in the generated program. Ensure that the first code block contains "
    "the solution."
)
DEEPSEEK = (
    "You are an AI programming assistant, utilizing the DeepSeek Coder model, developed by DeepSeek Company, and you "
    "answer questions related to computer science."
)
CODEQWEN = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user"
QWQ = (
    "<|im_start|>system\nYou are a helpful and harmless assistant. You are Qwen developed by Alibaba. You should think "
    "step-by-step.<|im_end|>\n<|im_start|>user"
)
DEEPSEEK_R1 = (
    "<｜begin▁of▁sentence｜>A conversation between User and Assistant. The user asks a question, and the Assistant "
    "solves it. The assistant first thinks about the reasoning process in the mind and then provides the user with the "
    "answer. The reasoning process and answer are enclosed within <think> </think> and <answer> </answer> tags, "
    "respectively, i.e., <think> reasoning process here </think> <answer> answer here </answer>.<｜User｜>"
)
TASK = (
    "You will be given a question (problem specification) and will generate a correct Python program that matches the "
    "specification and passes all tests."
)
ONLY_PROGRAM = f"{TASK} You will NOT return anything except for the program."
WITH_STARTER = (
    "You will use the following starter code to write the solution to the problem and enclose your code within "
    "delimiters."
)
WITHOUT_STARTER = (
    "Read the inputs from stdin solve the problem and write the answer to stdout (do not directly test on the sample "
    "inputs). Enclose your code within delimiters as follows. Ensure that when the python program runs, it reads the "
    "inputs, runs the algorithm and writes output to STDOUT."
)
WITH_MAIN = (
    "Implement a function called `main()` which orchastrates the solution by reading inputs from stdin and writing the "
    "answer to stdout. Feel free to use additional functions as necessary. Next do NOT forget to call `main` function "
    "at the end of the program otherwise you will not be awarded any points."
)
YOUR_CODE = "# YOUR CODE HERE"

STYLES = (
    "OpenAIChat",
    "OpenAIReasonPreview",
    "OpenAIReason",
    "Claude3",
    "Gemini",
    "GeminiThinking",
    "DeepSeekCodeInstruct",
    "CodeQwenInstruct",
    "QwQ",
    "DeepSeekR1",
    "GenericBase",
    PLAIN,
)

FAMILIES = (
    ("qwq", "QwQ"),
    ("deepseek-r1", "DeepSeekR1"),
    ("deepseek-reasoner", "DeepSeekR1"),
    ("nemotron", "DeepSeekR1"),
    ("deepcoder", "DeepSeekR1"),
    ("deepseek-coder", "DeepSeekCodeInstruct"),
    ("qwen2", "CodeQwenInstruct"),
    ("qwen3", "CodeQwenInstruct"),
    ("codeqwen", "CodeQwenInstruct"),
    ("claude", "Claude3"),
    ("gemini-2.5", "GeminiThinking"),
    ("gemini", "Gemini"),
    ("o1-preview", "OpenAIReasonPreview"),
    ("o1-mini", "OpenAIReasonPreview"),
    ("grok", "OpenAIReasonPreview"),
    ("o1", "OpenAIReason"),
    ("o3", "OpenAIReason"),
    ("o4", "OpenAIReason"),
)
"""Part of a model's name, and the style that upstream's table gives that family; the first that matches counts."""


def style_of(model: str, chat: bool) -> str:
    """The style for a model's name. chat: whether it has a chat template or answers chats; else it is a base model."""
    name = model.rstrip("/").rpartition("/")[2].lower()
    if not chat:
        return "GenericBase"
    found = (style for part, style in FAMILIES if name.startswith(part) or (len(part) > 2 and part in name))
    return next(found, "OpenAIChat")


def build_prompt(task: Task, style: str, examples: Path | None = None) -> Prompt:
    """What a model of this style is given. examples: LiveCodeBench's folder `few_shot_examples/generation`, which base
    models need: the statements in it belong to others, so it does not come along.

    Raises TrainError for an unknown style, and where the examples cannot be read.
    """
    generic = _generic(task)
    match style:
        case "plain":
            return [_user(task.prompt)]
        case "OpenAIChat":
            return [_system(EXPERT), _user(generic)]
        case "OpenAIReasonPreview":
            return [_user(f"{EXPERT}\n\n{generic}")]
        case "OpenAIReason":
            return [_user(f"{EXPERT}\n\n{_generic(task, WITH_MAIN)}")]
        case "Claude3":
            return [_system(EXPERT), _user(generic.rstrip())]
        case "Gemini":
            return [_user(f"{GEMINI}\n{generic}")]
        case "GeminiThinking":
            return [_user(f"{EXPERT}\n{generic}")]
        case "DeepSeekCodeInstruct":
            return f"{DEEPSEEK}\n\n{_deepseek(task)}"
        case "CodeQwenInstruct":
            return f"{CODEQWEN}\n\n{_qwen(task, ONLY_PROGRAM)}<|im_end|>\n<|im_start|>assistant\n"
        case "QwQ":
            return f"{QWQ}\n\n{_qwen(task, TASK)}<|im_end|>\n<|im_start|>assistant\n"
        case "DeepSeekR1":
            return f"{DEEPSEEK_R1}{_qwen(task, TASK)}<｜Assistant｜>"
        case "GenericBase":
            return _one_shot(task, examples)
    raise TrainError(f"unknown prompt style {style!r}; one of {', '.join(STYLES)}")


def _system(text: str) -> dict[str, str]:
    return {"role": "system", "content": text}


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _form(task: Task, without: str = WITHOUT_STARTER) -> tuple[str, str]:
    """What is said of the program's form, and the code block that shows it."""
    return (WITH_STARTER, task.starter_code) if task.starter_code else (without, YOUR_CODE)


def _generic(task: Task, without: str = WITHOUT_STARTER) -> str:
    said, code = _form(task, without)
    return (
        f"### Question:\n{task.statement}\n\n### Format: {said}\n```python\n{code}\n```\n\n"
        "### Answer: (use the provided format with backticks)\n\n"
    )


def _deepseek(task: Task) -> str:
    said, code = _form(task)
    return (
        f"### Instruction: {ONLY_PROGRAM}\n\nQuestion:\n{task.statement}\n\n"
        f"### Instruction: {said}\n```python\n{code}\n```\n\n### Response:\n\n"
    )


def _qwen(task: Task, instruction: str) -> str:
    said, code = _form(task)
    return f"{instruction}\n\nQuestion: {task.statement}\n\n{said}\n```python\n{code}\n```\n\n"


def _one_shot(task: Task, folder: Path | None) -> str:
    """One solved example of the same form, then the question, as upstream asks base models."""
    if folder is None:
        raise TrainError("base models are asked with LiveCodeBench's own example; give its folder with --examples")
    example = _example(folder / ("func.json" if task.starter_code else "stdin.json"))
    solved = _shot(example["question"], example["sample_code"] if task.starter_code else None, example["answer"])
    return f"{solved}\n\n{_shot(task.statement, task.starter_code, '')}"


def _shot(question: str, starter_code: str | None, answer: str) -> str:
    starter = f"### Starter Code\n{starter_code}\n\n" if starter_code else ""
    return f"### Question\n{question}\n\n{starter}### Answer\n\n{answer}"


@cache
def _example(path: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(path.read_text("utf-8"))[0]
        return {name: str(found[name]) for name in ("question", "answer")} | {
            "sample_code": str(found.get("sample_code", ""))
        }
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise TrainError(f"{path} cannot be read as LiveCodeBench's examples; give the folder that holds it") from error
