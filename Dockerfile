# One image for web, worker and beat: Python, the pinned packages, the code; an ordinary user; data under /data.
FROM python:3.11-slim-bookworm AS packages
# The root of a container is read-only: what is not compiled here is compiled at every start of every process.
ENV UV_COMPILE_BYTECODE=1
COPY requirements/tools.txt /tmp/tools.txt
RUN python -m pip install --no-cache-dir --require-hashes -r /tmp/tools.txt
COPY requirements/base.txt /tmp/base.txt
RUN uv venv /opt/venv && uv pip install --no-cache --python /opt/venv/bin/python --require-hashes -r /tmp/base.txt
# `--build-arg EXTRAS="places alibaba fonts telemetry saml spark"` brings what object stores, Alibaba Cloud's API, Chinese PDFs and others need.
ARG EXTRAS=""
COPY requirements/places.txt requirements/alibaba.txt requirements/fonts.txt requirements/telemetry.txt requirements/saml.txt requirements/spark.txt /tmp/
RUN for extra in $EXTRAS; do \
      uv pip install --no-cache --python /opt/venv/bin/python --require-hashes -r "/tmp/$extra.txt" || exit 1; \
    done

# What it consists of, for whoever looks for known weaknesses: /opt/venv/sbom.json (CycloneDX).
COPY requirements/sbom.txt /tmp/sbom.txt
RUN uv venv /opt/sbom && uv pip install --no-cache --python /opt/sbom/bin/python --require-hashes -r /tmp/sbom.txt && \
    /opt/sbom/bin/cyclonedx-py environment /opt/venv --output-file /opt/venv/sbom.json

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin costops && install -d -o costops -g costops /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/costops
COPY manage.py pyproject.toml ./
COPY apps apps
COPY costops costops
COPY scripts scripts
COPY locale locale
COPY static static
COPY templates templates
RUN /opt/venv/bin/python -m compileall -q apps costops "$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    COSTOPS_HOME=/data \
    COSTOPS_STATIC=/srv/static
# The files of pages, compressed under names that tell their content; a home folder of its own takes the key made on the way.
RUN COSTOPS_HOME=/tmp/home python manage.py collectstatic --noinput --verbosity 0 && rm -r /tmp/home
USER costops
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=4 \
    CMD ["python", "scripts/answers.py", "http://127.0.0.1:8000/readyz"]
CMD ["gunicorn", "--config", "python:costops.gunicorn", "costops.wsgi", "--bind", "0.0.0.0:8000"]
