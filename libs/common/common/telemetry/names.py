"""Every metric and span attribute of Postroom, registered before use.

Units are in the names, as Prometheus asks (https://prometheus.io/docs/practices/naming/).
"""

JOBS = ("postroom_jobs", "Runs of jobs that ended, by queue, consumer and outcome")
JOBS_IN_FLIGHT = ("postroom_jobs_in_flight", "Jobs whose handler runs, by queue and consumer")
JOB_SECONDS = ("postroom_job_seconds", "Time from the first claim of a job to its end, by queue and consumer")
JOB_ATTEMPTS = ("postroom_job_attempts", "Claims that a finished job took, by queue and consumer")
MODEL_TOKENS = ("postroom_model_tokens", "Tokens, by model and kind (prompt, completion)")
MODEL_COST = ("postroom_model_cost_usd", "Money spent on model calls, by model")
PACING_SECONDS = ("postroom_pacing_wait_seconds", "Time that sends waited for the pace, by destination")
COLLECTED = ("postroom_posts_collected", "Posts that came in, by kind of source and whether they were duplicates")

ATTRIBUTE_POST = "postroom.post_id"
ATTRIBUTE_DESTINATION = "postroom.destination"
