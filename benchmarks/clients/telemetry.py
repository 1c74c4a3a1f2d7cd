"""OpenTelemetry: events as records of the standard library's logging."""

from __future__ import annotations

import logging
from typing import Any


class OpenTelemetry:
    """https://opentelemetry.io/docs/languages/python/, logs over OTLP and HTTP."""

    def __init__(self, url: str) -> None:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.instrumentation.logging.handler import LoggingHandler
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

        self._provider = LoggerProvider()
        exporter = OTLPLogExporter(endpoint=f"{url}/v1/logs")
        self._provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
        self._log = logging.getLogger("bench.questions")
        self._log.setLevel(logging.INFO)
        self._log.propagate = False
        self._log.addHandler(LoggingHandler(logger_provider=self._provider))

    def capture(self, *, text: str, **event: Any) -> None:
        self._log.info(text, extra=event)

    def close(self) -> None:
        self._provider.shutdown()
