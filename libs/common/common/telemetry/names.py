"""Every metric and span attribute of Postroom, registered before use.

Units are in the names, as Prometheus asks (https://prometheus.io/docs/practices/naming/).
"""

JOBS = ("postroom_jobs", "Runs of jobs that ended, by queue, consumer and outcome")
JOBS_IN_FLIGHT = ("postroom_jobs_in_flight", "Jobs whose handler runs, by queue and consumer")
JOB_SECONDS = ("postroom_job_seconds", "Time from the first claim of a job to its end, by queue and consumer")
JOB_ATTEMPTS = ("postroom_job_attempts", "Claims that a finished job took, by queue and consumer")
MODEL_TOKENS = ("postroom_model_tokens", "Tokens, by model and kind (prompt, completion)")
MODEL_COST = ("postroom_model_cost_usd", "Money spent on model calls, by model")
MODEL_SECONDS = ("postroom_model_call_seconds", "Time that model calls took, by model and outcome")
IMAGES = ("postroom_images", "Requests for images that ended, by outcome (generated, refused, failed)")
IMAGES_DELETED = ("postroom_images_deleted", "Images that the sweep deleted, by reason (unused, outdated, orphan)")
IMAGES_FREED = ("postroom_images_freed_bytes", "What the images that the sweep deleted took")
PACING_SECONDS = ("postroom_pacing_wait_seconds", "Time that sends waited for the pace, by destination")
PUBLICATIONS = ("postroom_publications", "Publications that ended, by destination and outcome")
SEND_SECONDS = ("postroom_send_seconds", "Time that the platform took to answer a send, by destination")
BROADCAST_SENDS = ("postroom_broadcast_sends", "Tries to send to a chat, by account and outcome")
BROADCAST_SEND_SECONDS = ("postroom_broadcast_send_seconds", "Time that Telegram took to answer a send, by account")
BROADCAST_TASKS_OPEN = ("postroom_broadcast_tasks_open", "Broadcasts that have not ended, by account")
COLLECTED = ("postroom_posts_collected", "Posts that came in, by kind of source and whether they were duplicates")
COLLECT_FAILURES = ("postroom_collect_failures", "Reads of a source that failed for a reason of its own, by kind")
COLLECT_WAIT_SECONDS = ("postroom_collect_wait_seconds", "Waits that a platform asked for while collecting")

ATTRIBUTE_POST = "postroom.post_id"
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
