# The code image: the platform, its web UI and daemon, and the judge. No torch, no CUDA.
# Build from the top of the repository:  docker build -f deploy/images/code.Dockerfile -t microcoder-code .
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY pyproject.toml constraints.txt README.md LICENSE dagster.yaml ./
COPY microcoder_judge microcoder_judge
COPY microcoder_assets microcoder_assets
COPY microcoder_train microcoder_train
COPY sql sql
COPY examples examples
RUN pip install --no-cache-dir --constraint constraints.txt ".[postgres,kubernetes]"

FROM python:3.11-slim-bookworm
# g++ compiles C++ submissions and checkers; without it they are refused.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 microcoder \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data microcoder \
    && install --directory --owner 10001 --group 10001 /data /run/judge
COPY --from=build /opt/venv /opt/venv
COPY deploy/images/with-secrets /usr/local/bin/with-secrets
COPY deploy/dagster.yaml deploy/workspace.yaml /opt/dagster/
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DAGSTER_HOME=/opt/dagster \
    MICROCODER_HOME=/data \
    MICROCODER_LOGS=/data/logs \
    MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /data
USER 10001:10001
ENTRYPOINT ["with-secrets"]
CMD ["dagster", "api", "grpc", "--host", "0.0.0.0", "--port", "4000", "--module-name", "microcoder_assets.definitions", "--location-name", "microcoder"]
EXPOSE 4000
