"""The register: every metric and span attribute of Postroom, registered before use.

A metric is said here once, and made with `names.JOBS.on(registry)`. docs/metrics.md is generated from this module
(`make contracts`); a service that exports a name which is not here fails a test.
"""

from common.telemetry.register import CounterMetric, GaugeMetric, HistogramMetric, Metric

EVERY = "every service"
MODELS = "rewriter, imagegen"
MODEL_SECONDS_BOUNDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)

# What each label says. No label has a value per post or job: Prometheus would keep a series for each.
LABELS = {
    "account": "an account that broadcasts",
    "budget": "a budget, by its name",
    "consumer": "a durable of subjects.yaml",
    "destination": "where posts go, `telegram:@channel`",
    "duplicate": "`yes` or `no`",
    "kind": "of a source, of tokens (`prompt`, `completion`), of an alert, of posts",
    "model": "as the endpoint was asked",
    "outcome": "how it ended",
    "part": "queues, records, spending, alerts, canary or ledger",
    "queue": "a queue of subjects.yaml",
    "reason": "why something was deleted",
    "route": "a route, by its name; empty where there is none",
    "severity": "`info`, `warning` or `error`",
    "state": "of posts as in the reconciliation; of replicas `ready`, `not_ready` or `silent`",
    "status": "of jobs: `queued`, `in_progress`, `failed`",
    "service": "a service of Postroom",
    "worker": "a worker of the scheduler",
}

# Work, as each service does it.
JOBS = CounterMetric("postroom_jobs", ("queue", "consumer", "outcome"), "runs", EVERY, "Runs of jobs that ended")
JOBS_IN_FLIGHT = GaugeMetric("postroom_jobs_in_flight", ("queue", "consumer"), "jobs", EVERY, "Jobs whose handler runs")
JOB_SECONDS = HistogramMetric(
    "postroom_job_seconds", ("queue", "consumer"), "seconds", EVERY, "Time from the first claim of a job to its end"
)
JOB_ATTEMPTS = HistogramMetric(
    "postroom_job_attempts",
    ("queue", "consumer"),
    "claims",
    EVERY,
    "Claims that a finished job took",
    (1, 2, 3, 5, 10, 30, 100),
)

# Models and images.
MODEL_TOKENS = CounterMetric(
    "postroom_model_tokens", ("route", "model", "kind"), "tokens", MODELS, "Tokens of model calls"
)
MODEL_COST = CounterMetric(
    "postroom_model_cost_usd", ("route", "model"), "US dollars", MODELS, "Money spent on model calls"
)
MODEL_SECONDS = HistogramMetric(
    "postroom_model_call_seconds",
    ("model", "outcome"),
    "seconds",
    MODELS,
    "Time that model calls took; `outcome` is answered, refused, or a kind of error",
    MODEL_SECONDS_BOUNDS,
)
IMAGES = CounterMetric(
    "postroom_images",
    ("outcome",),
    "requests",
    "imagegen",
    "Requests for images that ended: generated, refused or failed",
)
IMAGES_DELETED = CounterMetric(
    "postroom_images_deleted",
    ("reason",),
    "images",
    "imagegen",
    "Images that the sweep deleted: unused, outdated or orphan",
)
IMAGES_FREED = CounterMetric(
    "postroom_images_freed_bytes", (), "bytes", "imagegen", "What the images that the sweep deleted took"
)

# Sending.
PACING_SECONDS = CounterMetric(
    "postroom_pacing_wait_seconds", ("destination",), "seconds", "publisher", "Time that sends waited for the pace"
)
PUBLICATIONS = CounterMetric(
    "postroom_publications", ("destination", "outcome"), "publications", "publisher", "Publications that ended"
)
SEND_SECONDS = HistogramMetric(
    "postroom_send_seconds",
    ("destination",),
    "seconds",
    "publisher",
    "Time that the platform took to answer a send",
)
BROADCAST_SENDS = CounterMetric(
    "postroom_broadcast_sends", ("account", "outcome"), "sends", "userbot", "Tries to send to a chat"
)
BROADCAST_SEND_SECONDS = HistogramMetric(
    "postroom_broadcast_send_seconds",
    ("account",),
    "seconds",
    "userbot",
    "Time that Telegram took to answer a send",
)
BROADCAST_TASKS_OPEN = GaugeMetric(
    "postroom_broadcast_tasks_open", ("account",), "broadcasts", "userbot", "Broadcasts that have not ended"
)

# Collecting.
COLLECTED = CounterMetric(
    "postroom_posts_collected", ("kind", "duplicate"), "posts", "collector", "Posts that came in, by kind of source"
)
COLLECT_FAILURES = CounterMetric(
    "postroom_collect_failures",
    ("kind",),
    "reads",
    "collector",
    "Reads of a source that failed for a reason of its own",
)
COLLECT_WAIT_SECONDS = CounterMetric(
    "postroom_collect_wait_seconds", (), "seconds", "collector", "Waits that a platform asked for while collecting"
)

# The whole system, from the records and the servers. Every replica of the api tells the same: take the highest, not the
# sum. Where the database or NATS can't be asked, what they would say is left out rather than old.
SAMPLED = GaugeMetric(
    "postroom_sampled", ("part",), "0 or 1", "api", "Whether this part of the figures of the whole system could be read"
)
QUEUE_WAITING = GaugeMetric("postroom_queue_waiting", ("queue",), "messages", "api", "Messages that nobody has taken")
QUEUE_IN_FLIGHT = GaugeMetric(
    "postroom_queue_in_flight", ("queue",), "messages", "api", "Messages that were taken and not yet acknowledged"
)
QUEUE_REDELIVERED = GaugeMetric(
    "postroom_queue_redelivered", ("queue",), "messages", "api", "Messages in flight that were delivered before"
)
QUEUE_OLDEST_SECONDS = GaugeMetric(
    "postroom_queue_oldest_seconds", ("queue",), "seconds", "api", "Age of the oldest message; 0 where there is none"
)
QUEUE_BEHIND = GaugeMetric(
    "postroom_queue_behind",
    ("queue",),
    "tasks",
    "api",
    "Publications and broadcasts that are due or under way, behind their queue",
)
QUEUE_ETA_SECONDS = GaugeMetric(
    "postroom_queue_eta_seconds",
    ("queue",),
    "seconds",
    "api",
    "How long the backlog takes at the present rate; left out where nothing moves",
)
QUEUE_PAUSED = GaugeMetric("postroom_queue_paused", ("queue",), "0 or 1", "api", "Whether a person paused the queue")
QUEUE_ALERT_FAILURES = GaugeMetric(
    "postroom_queue_alert_failures",
    ("queue",),
    "jobs",
    "api",
    "The setting: so many failures within its time are an alert; 0: none are",
)
QUEUE_ALERT_OLDEST_SECONDS = GaugeMetric(
    "postroom_queue_alert_oldest_seconds",
    ("queue",),
    "seconds",
    "api",
    "The setting: an older message is an alert; 0: none is",
)
OUTBOX_EVENTS = GaugeMetric("postroom_outbox_events", (), "events", "api", "Events that are not yet in their stream")
OUTBOX_OLDEST_SECONDS = GaugeMetric(
    "postroom_outbox_oldest_seconds", (), "seconds", "api", "Age of the oldest event in the outbox; 0 where it is empty"
)
REPLICAS = GaugeMetric(
    "postroom_replicas",
    ("service", "state"),
    "replicas",
    "api",
    "Replicas by their beats; a silent one has not beaten for 15 seconds, and did not stop in order",
)
WORKER_RUNNING = GaugeMetric(
    "postroom_worker_running", ("worker",), "0 or 1", "api", "Whether a worker of the scheduler runs somewhere"
)
SCHEDULED_OVERDUE = GaugeMetric(
    "postroom_scheduled_overdue", (), "scheduled posts", "api", "Scheduled posts that are due and not under way"
)
SCHEDULED_OVERDUE_SECONDS = GaugeMetric(
    "postroom_scheduled_overdue_seconds", (), "seconds", "api", "By how much the first of them is late; 0 without any"
)
ALERTS_FIRING = GaugeMetric("postroom_alerts_firing", ("kind", "severity"), "alerts", "api", "Alerts that fire")
BUDGET_USED_RATIO = GaugeMetric(
    "postroom_budget_used_ratio", ("budget",), "ratio", "api", "How much of a budget is used; from 1 on it is used up"
)
BUDGET_WARN_RATIO = GaugeMetric(
    "postroom_budget_warn_ratio", ("budget",), "ratio", "api", "The setting: from here on people are warned"
)
POSTS = GaugeMetric("postroom_posts", ("state",), "posts", "api", "Posts by the state they are in; read once a minute")
LEDGER_BALANCED = GaugeMetric(
    "postroom_ledger_balanced", (), "0 or 1", "api", "Whether every post is in exactly one state; read once a minute"
)
VERIFICATION_FINDINGS = GaugeMetric(
    "postroom_verification_findings", (), "findings", "scheduler", "What the latest verification found, mended or not"
)
LEDGER_JOBS = GaugeMetric(
    "postroom_ledger_jobs",
    ("queue", "status"),
    "jobs",
    "api",
    "Jobs in the ledger that are queued, in progress or failed; read once a minute",
)
DEAD_LETTERS = GaugeMetric("postroom_dead_letters", ("consumer",), "dead letters", "api", "Dead letters that are kept")

# The canary: a marked post that goes the whole way every few minutes.
CANARY_SECONDS = GaugeMetric(
    "postroom_canary_seconds", (), "seconds", "api", "How long the last canary took from end to end"
)
CANARY_WAITING_SECONDS = GaugeMetric(
    "postroom_canary_waiting_seconds", (), "seconds", "api", "For how long a canary has been under way; 0 where none is"
)
CANARY_LIMIT_SECONDS = GaugeMetric(
    "postroom_canary_limit_seconds", (), "seconds", "api", "The setting: a canary that takes longer is late"
)

# Of each process, as prometheus_client names them: https://prometheus.github.io/client_python/collector/
PROCESS = (
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_start_time_seconds",
    "process_open_fds",
    "process_max_fds",
)

# Attributes of spans.
ATTRIBUTE_POST = "postroom.post_id"
ATTRIBUTE_QUEUE = "postroom.queue"
ATTRIBUTE_CONSUMER = "postroom.consumer"
ATTRIBUTE_DESTINATION = "postroom.destination"

# Of a call to a model: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
ATTRIBUTE_MODEL_OPERATION = "gen_ai.operation.name"
ATTRIBUTE_MODEL_PROVIDER = "gen_ai.provider.name"
ATTRIBUTE_MODEL_REQUESTED = "gen_ai.request.model"
ATTRIBUTE_MODEL_ANSWERED = "gen_ai.response.model"
ATTRIBUTE_MODEL_FINISH = "gen_ai.response.finish_reasons"
ATTRIBUTE_MODEL_INPUT_TOKENS = "gen_ai.usage.input_tokens"
ATTRIBUTE_MODEL_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
ATTRIBUTE_ERROR = "error.type"
ATTRIBUTE_PUBLICATION = "postroom.publication_id"
ATTRIBUTE_BROADCAST = "postroom.broadcast_id"


def registered() -> list[Metric]:
    """Return every metric of the register, in its order."""
    return [value for value in globals().values() if isinstance(value, Metric)]
