# The API and the worker, for PostgreSQL and Valkey of your own: `docker build -t crm-api .`
# `crm-api serve` is the default command; `worker`, `migrate` and the rest are given as arguments.

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements/base.txt requirements/build.txt requirements/
RUN python -m venv /build && /build/bin/pip install --require-hashes -r requirements/build.txt \
    && python -m venv /opt/crm && /opt/crm/bin/pip install --require-hashes -r requirements/base.txt
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY src src
RUN /build/bin/hatchling build -t wheel \
    && /opt/crm/bin/pip install --no-deps --no-index dist/*.whl \
    && /opt/crm/bin/pip uninstall --yes pip \
    && python -m compileall -q /opt/crm/lib/python3.13/site-packages/crm_api

FROM python:3.13-slim
RUN useradd --system --no-create-home --home-dir /var/lib/crm --shell /usr/sbin/nologin --uid 10001 crm \
    && install -d -o crm -g crm -m 700 /var/lib/crm
COPY --from=build /opt/crm /opt/crm
ENV PATH=/opt/crm/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CRM_DATA_DIR=/var/lib/crm
USER crm
WORKDIR /var/lib/crm
EXPOSE 8000
STOPSIGNAL SIGTERM
# For the API; a container of the worker turns it off (see compose.yaml).
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["crm-api"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
