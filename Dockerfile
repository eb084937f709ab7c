# One image for the workers, the operator's command line and the demo company; docker-compose.yml says who runs what.
# Packages are those of requirements.lock that pyproject.toml needs at run time, each checked against its hash.

FROM python:3.11.14-slim-bookworm AS packages
WORKDIR /build
COPY pyproject.toml requirements.lock ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check uv==0.13.8 \
    && python -m venv --without-pip /opt/venv \
    && uv pip install --no-cache --compile-bytecode --python /opt/venv/bin/python \
        --require-hashes --constraint requirements.lock --requirement pyproject.toml

FROM python:3.11.14-slim-bookworm
# The folders are made here so that the volumes laid over them belong to the user who writes there.
RUN groupadd --gid 10001 gonogo \
    && useradd --uid 10001 --gid gonogo --home-dir /var/lib/gonogo --no-create-home --shell /usr/sbin/nologin gonogo \
    && install --directory --owner gonogo --group gonogo --mode 0700 \
        /var/lib/gonogo /var/lib/gonogo/keys /var/lib/gonogo/services /var/lib/company /var/lib/payloads /var/lib/sealing
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY contracts contracts
COPY language language
COPY workflows workflows
COPY activities activities
COPY rehearsal rehearsal
COPY runtime runtime
COPY starter starter
COPY demo demo
COPY missions missions
COPY worker.py ./
RUN python -m compileall -q /app
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
CMD ["python", "-m", "starter", "--help"]
