"""What real OpenAI-compatible servers make of the scorer's requests. `python -m bench.bench_llm_servers [--rows 40]`.

Two servers on loopback, each with a model made here with random weights over bytes, which knows nothing: llama.cpp's
(of the package xllamacpp), which holds a model to the JSON schema, and `transformers serve`, which does not. Made-up
problems are rated with the schema sent, and by plain requests without it. A random model's answer is right only where
the server makes it so. Needs `pip install xllamacpp gguf fastapi`; a server whose packages are not there is skipped.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from bench.bench_llm_faults import problems
from bench.tables import print_table
from microcoder_assets.config import ScoringSettings
from microcoder_assets.filtering.rubric import load_rubric
from microcoder_assets.filtering.score import make_scorer, score_problems
from microcoder_assets.llm.journal import LOST
from microcoder_assets.store import Packs

SERVERS = {"llama.cpp": ("xllamacpp", "gguf"), "transformers serve": ("fastapi", "uvicorn", "torch")}
WIDTH, HEADS, BLOCKS, CONTEXT = 64, 4, 2, 32_768
STARTS_S = 120.0
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "


def make_folder(path: Path) -> None:
    """The same as `make_gguf` as a Hugging Face folder."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokens = ["<unk>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(path)
    config = LlamaConfig(
        vocab_size=len(tokens), hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=BLOCKS,
        num_attention_heads=HEADS, max_position_embeddings=CONTEXT, bos_token_id=1, eos_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(path)


def make_gguf(path: Path) -> None:
    """A llama of random weights whose tokens are bytes, as a GGUF file."""
    import gguf
    import numpy as np

    random = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(BLOCKS)
    writer.add_feed_forward_length(2 * WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    control, byte = gguf.TokenType.CONTROL, gguf.TokenType.BYTE
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{value:02X}>" for value in range(256))]
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([gguf.TokenType.UNKNOWN, control, control, *[byte] * 256])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(TEMPLATE)
    shapes = {"token_embd": (len(tokens), WIDTH), "output": (len(tokens), WIDTH), "output_norm": (WIDTH,)}
    for block in range(BLOCKS):
        shapes |= {f"blk.{block}.{name}_norm": (WIDTH,) for name in ("attn", "ffn")}
        shapes |= {f"blk.{block}.attn_{name}": (WIDTH, WIDTH) for name in ("q", "k", "v", "output")}
        shapes |= {f"blk.{block}.ffn_{name}": (2 * WIDTH, WIDTH) for name in ("gate", "up")}
        shapes[f"blk.{block}.ffn_down"] = (WIDTH, 2 * WIDTH)
    for name, shape in shapes.items():
        weights = np.ones(shape) if len(shape) == 1 else random.normal(0, 0.02, shape)
        writer.add_tensor(f"{name}.weight", weights.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve_llama(model: Path, port: int) -> None:
    """Until standard input ends."""
    from xllamacpp import CommonParams, Server

    parameters = CommonParams()
    parameters.model.path = str(model)
    parameters.hostnames, parameters.port = ["127.0.0.1"], port
    parameters.n_ctx, parameters.n_parallel = 4 * CONTEXT, 4
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1  # more wait for one another
    parameters.warmup = False
    server = Server(parameters)
    sys.stdin.read()
    del server


@contextmanager
def serving(name: str, model: Path) -> Iterator[str]:
    """The address of a server in a process of its own. Raises SystemExit when it does not start."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bench.bench_llm_servers", "--llama", str(model), "--port", str(port)]
    if name == "transformers serve":
        serve = "from transformers.cli.transformers import main; main()"
        command = [sys.executable, "-c", serve, "serve", str(model), "--port", str(port)]
        command += ["--host", "127.0.0.1", "--device", "cpu"]
    log = model.with_name(f"{name}.log")
    with log.open("wb") as said, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said) as server:
        try:
            began = time.monotonic()
            while not _healthy(port):
                if server.poll() is not None or time.monotonic() - began > STARTS_S:
                    raise SystemExit(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.kill()


def _healthy(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health") as answer:
            return answer.status == 200
    except (URLError, ConnectionError):
        return False


def measure(url: str, model: str, home: Path, rows: int, plain: bool) -> tuple[list[str], str]:
    """Cells of a table: rows, scored, completions, those that repair another, their tokens, requests of a second run;
    and the commonest error."""
    rubric = load_rubric()

    def run() -> tuple[int, Counter[str], dict[str, dict[str, object]]]:
        settings = ScoringSettings(**{"model": model, "base_url": url, "concurrency": 4, "plain_requests": plain})
        packs = Packs(home / "llm")
        result = score_problems(problems(rows), make_scorer(settings, rubric, packs), rubric)
        errors = Counter(d.detail["error"] for d in result.decisions if d.kind == "error")
        books = {key: json.loads(value) for key, value in packs.get(packs.known()).items()}
        return result.frame.height, errors, {key: a for key, a in books.items() if not key.startswith(LOST)}

    scored, errors, first = run()
    _, _, second = run()
    draws = rows * ScoringSettings().draws  # type: ignore[call-arg]
    tokens = [sum(int(str(a[name])) for a in first.values()) for name in ("prompt_tokens", "completion_tokens")]
    cells = [f"{rows}", f"{scored}", f"{len(first)}", f"{max(0, len(first) - draws)}", f"{tokens[0]:,}"]
    return [*cells, f"{tokens[1]:,}", f"{len(second) - len(first)}"], next(iter(dict(errors.most_common(1))), "")


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_llm_servers", description="The LLM scorer and real servers.")
    parser.add_argument("--rows", type=int, default=40, help="problems for llama.cpp; transformers gets one (40)")
    parser.add_argument("--server", choices=SERVERS, help="only this one")
    parser.add_argument("--llama", type=Path, metavar="MODEL", help="be llama.cpp's server of this model")
    parser.add_argument("--port", type=int)
    arguments = parser.parse_args()
    if arguments.llama:
        serve_llama(arguments.llama, arguments.port)
        return
    os.environ["HF_HUB_OFFLINE"] = "1"
    lines, said = [], []
    with tempfile.TemporaryDirectory(prefix="llm-servers-") as folder:
        for name, packages in SERVERS.items():
            if arguments.server not in (None, name):
                continue
            if missing := [package for package in packages if find_spec(package) is None]:
                said.append(f"{name}: skipped, install {' '.join(missing)}")
                continue
            model, rows = Path(folder) / "tiny", arguments.rows
            if name == "transformers serve":
                make_folder(model)
                rows = 1
            else:
                make_gguf(model)
            with serving(name, model) as url:
                for plain in (False, True):
                    how = "plain" if plain else "schema"
                    home = Path(folder) / f"{name} {how}"
                    cells, error = measure(url, str(model), home, rows, plain)
                    lines.append((name, how, *cells))
                    said += [f"{name}, {how}: {error[:220]}"] if error else []
    header = ("server", "requests", "rows", "scored", "answers", "repairs", "tokens in", "out", "asked again")
    print_table(header, lines)
    print("\n".join(["", *said]))


if __name__ == "__main__":
    main()
