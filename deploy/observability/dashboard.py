"""The dashboard: what an operator looks at, from the whole to its parts.

Whatever every replica of the api tells alike is asked for with `max`; what each service counts itself, with `sum`.
"""

import json
from typing import Any

from deploy.observability.panels import Query, Row, bars, laid_out, now, over_time

RED, YELLOW = "red", "orange"
OF_QUEUE = 'queue=~"$queue"'

WHOLE = Row(
    "The whole",
    (
        now("Published, posts per hour", 'sum(rate(postroom_publications_total{outcome="succeeded"}[5m])) * 3600'),
        now("Pending", 'max(postroom_posts{state="pending"})'),
        now("Wait for a person", 'max(postroom_posts{state="awaiting"})', (1, YELLOW)),
        now("Dead", 'max(postroom_posts{state="dead"})', (1, RED)),
        now("Alerts firing", "sum(max by (kind, severity) (postroom_alerts_firing)) or vector(0)", (1, RED)),
        now("Records that add up", "min(postroom_ledger_balanced)", unit="bool_yes_no"),
        over_time("Found by verification", Query("max(postroom_verification_findings)", "findings")),
        over_time("Posts by state", Query("max by (state) (postroom_posts)", "{{state}}")),
        over_time(
            "From source to channel, per second",
            Query("sum(rate(postroom_posts_collected_total[5m]))", "collected"),
            Query('sum(rate(postroom_jobs_total{consumer="rewriter",outcome="succeeded"}[5m]))', "rewritten"),
            Query('sum(rate(postroom_images_total{outcome="generated"}[5m]))', "illustrated"),
            Query('sum(rate(postroom_publications_total{outcome="succeeded"}[5m]))', "published"),
            Query('sum(rate(postroom_broadcast_sends_total{outcome="sent"}[5m]))', "broadcast"),
        ),
    ),
)

QUEUES = Row(
    "Queues",
    (
        over_time("Backlog", Query(f"queue:postroom_queue_backlog:max{{{OF_QUEUE}}}", "{{queue}}")),
        over_time(
            "Age of the oldest message",
            Query(f"max by (queue) (postroom_queue_oldest_seconds{{{OF_QUEUE}}})", "{{queue}}"),
            unit="s",
        ),
        over_time("Jobs that ended, per second", Query(f"queue:postroom_jobs_ended:rate5m{{{OF_QUEUE}}}", "{{queue}}")),
        over_time(
            "Time to complete",
            Query(f"queue:postroom_job_seconds:p50_5m{{{OF_QUEUE}}}", "{{queue}} p50"),
            Query(f"queue:postroom_job_seconds:p95_5m{{{OF_QUEUE}}}", "{{queue}} p95"),
            Query(f"queue:postroom_job_seconds:p99_5m{{{OF_QUEUE}}}", "{{queue}} p99"),
            unit="s",
        ),
        over_time("Retries per job", Query(f"queue:postroom_job_retries:mean5m{{{OF_QUEUE}}}", "{{queue}}")),
        over_time(
            "Share of failures",
            Query(f"queue:postroom_jobs_failed:ratio5m{{{OF_QUEUE}}}", "{{queue}}"),
            unit="percentunit",
        ),
        over_time(
            "Messages in flight, and those delivered before",
            Query(f"max by (queue) (postroom_queue_in_flight{{{OF_QUEUE}}})", "{{queue}}"),
            Query(f"max by (queue) (postroom_queue_redelivered{{{OF_QUEUE}}})", "{{queue}} redelivered"),
        ),
        bars("Until the backlog is done", Query("max by (queue) (postroom_queue_eta_seconds)", "{{queue}}"), unit="s"),
        bars("Paused", Query("max by (queue) (postroom_queue_paused)", "{{queue}}"), (1, YELLOW), unit="bool_yes_no"),
        over_time(
            "Jobs in the ledger",
            Query(f"max by (queue, status) (postroom_ledger_jobs{{{OF_QUEUE}}})", "{{queue}} {{status}}"),
        ),
        over_time("Dead letters", Query("max by (consumer) (postroom_dead_letters)", "{{consumer}}")),
        over_time(
            "Outbox",
            Query("max(postroom_outbox_events)", "events"),
            Query("max(postroom_outbox_oldest_seconds)", "age of the oldest, s"),
        ),
    ),
)

MODELS = Row(
    "Models and money",
    (
        over_time(
            "Money per hour, by route and model",
            Query("sum by (route, model) (rate(postroom_model_cost_usd_total[5m])) * 3600", "{{route}} {{model}}"),
            unit="currencyUSD",
        ),
        over_time(
            "Tokens per second, by route and model",
            Query(
                "sum by (route, model, kind) (rate(postroom_model_tokens_total[5m]))", "{{route}} {{model}} {{kind}}"
            ),
        ),
        bars(
            "Budgets used",
            Query("max by (budget) (postroom_budget_used_ratio)", "{{budget}}"),
            (0.8, YELLOW),
            (1, RED),
            unit="percentunit",
        ),
        over_time(
            "Calls per second",
            Query("sum by (model, outcome) (rate(postroom_model_call_seconds_count[5m]))", "{{model}} {{outcome}}"),
        ),
        over_time(
            "Time of a call, p95",
            Query(
                "histogram_quantile(0.95, sum by (model, le) (rate(postroom_model_call_seconds_bucket[5m])))",
                "{{model}}",
            ),
            unit="s",
        ),
        over_time(
            "Share of calls that fail",
            Query("model:postroom_model_calls_failed:ratio5m", "{{model}}"),
            unit="percentunit",
        ),
    ),
)

SENDING = Row(
    "Sending",
    (
        over_time(
            "Publications per hour",
            Query(
                "sum by (destination, outcome) (rate(postroom_publications_total[5m])) * 3600",
                "{{destination}} {{outcome}}",
            ),
        ),
        over_time(
            "Share of the time that waits for the pace",
            Query("sum by (destination) (rate(postroom_pacing_wait_seconds_total[5m]))", "{{destination}}"),
            unit="percentunit",
        ),
        over_time(
            "Time that a platform takes, p95",
            Query(
                "histogram_quantile(0.95, sum by (destination, le) (rate(postroom_send_seconds_bucket[5m])))",
                "{{destination}}",
            ),
            unit="s",
        ),
        over_time(
            "Broadcast messages per hour",
            Query(
                "sum by (account, outcome) (rate(postroom_broadcast_sends_total[5m])) * 3600", "{{account}} {{outcome}}"
            ),
        ),
        over_time("Open broadcasts", Query("sum by (account) (postroom_broadcast_tasks_open)", "{{account}}")),
        over_time(
            "Lateness of the first scheduled post",
            Query("max(postroom_scheduled_overdue_seconds)", "late"),
            Query("max(postroom_canary_seconds)", "the canary's way"),
            unit="s",
        ),
    ),
)

COLLECTING = Row(
    "Collecting",
    (
        over_time(
            "Posts per hour",
            Query(
                "sum by (kind, duplicate) (rate(postroom_posts_collected_total[5m])) * 3600",
                "{{kind}}, duplicate: {{duplicate}}",
            ),
        ),
        over_time(
            "Reads that failed, per hour",
            Query("sum by (kind) (rate(postroom_collect_failures_total[5m])) * 3600", "{{kind}}"),
        ),
        over_time(
            "Share of the time that a platform made us wait",
            Query("sum(rate(postroom_collect_wait_seconds_total[5m]))", "waits"),
            unit="percentunit",
        ),
    ),
)

PROCESSES = Row(
    "Services",
    (
        over_time("Replicas", Query("max by (service, state) (postroom_replicas) > 0", "{{service}} {{state}}")),
        over_time("Memory", Query("process_resident_memory_bytes", "{{service}} {{instance}}"), unit="bytes"),
        over_time("CPU, cores", Query("rate(process_cpu_seconds_total[5m])", "{{service}} {{instance}}")),
        over_time("Handlers that run", Query("sum by (queue) (postroom_jobs_in_flight)", "{{queue}}")),
        over_time("Open files", Query("process_open_fds", "{{service}} {{instance}}")),
        bars(
            "Workers of the scheduler",
            Query("max by (worker) (postroom_worker_running)", "{{worker}}"),
            unit="bool_on_off",
        ),
    ),
)

ROWS = (WHOLE, QUEUES, MODELS, SENDING, COLLECTING, PROCESSES)


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana reads it from a file."""
    return {
        "uid": "postroom",
        "title": "Postroom",
        "description": "Made by deploy/observability/generate.py: change it there.",
        "tags": ["postroom"],
        "editable": False,
        "schemaVersion": 39,
        "version": 1,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "templating": {"list": [_datasource(), _queue()]},
        "panels": laid_out(ROWS),
    }


def document() -> str:
    """Return it as it is committed."""
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


def expressions() -> list[str]:
    """Return every question that the dashboard asks Prometheus."""
    return [query.expression for row in ROWS for panel in row.panels for query in panel.queries] + [QUEUES_KNOWN]


QUEUES_KNOWN = "postroom_queue_waiting"


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}


def _queue() -> dict[str, Any]:
    return {
        "name": "queue",
        "label": "Queue",
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": {"query": f"label_values({QUEUES_KNOWN}, queue)", "refId": "queue"},
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
        "sort": 1,
    }
