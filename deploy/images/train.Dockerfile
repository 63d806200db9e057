# The training image: GRPO, generation and scoring on GPUs. Nothing of Dagster but the pipe that reports to it.
# Build from the top of the repository:  docker build -f deploy/images/train.Dockerfile -t microcoder-train .
# torch and vLLM bring their CUDA libraries as wheels; the host gives the driver. What compiles CUDA kernels itself, such
# as DeepSpeed's CPU Adam, needs nvcc: give a CUDA devel image with Python 3.11 as BASE.
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 microcoder \
    && useradd --uid 10001 --gid 10001 --create-home microcoder \
    && install --directory --owner 10001 --group 10001 /data /checkpoints \
    && python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY constraints.txt deploy/images/train-requirements.txt /src/
RUN pip install --no-cache-dir --constraint /src/constraints.txt --requirement /src/train-requirements.txt
COPY microcoder_judge /opt/microcoder/microcoder_judge
COPY microcoder_train /opt/microcoder/microcoder_train
COPY deploy/images/with-secrets /usr/local/bin/with-secrets
ENV PYTHONPATH=/opt/microcoder \
    PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /data
USER 10001:10001
ENTRYPOINT ["with-secrets"]
CMD ["python", "-m", "microcoder_train", "--help"]
