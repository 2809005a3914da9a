"""Queues, machines that come and go, promises and money: what a plan of capacity is computed from (Lecture 12)."""

from course.capacity.autoscaling import Autoscaler, Scaled, desired_replicas, run_autoscaler
from course.capacity.cost import cost_per_audio_hour, cost_per_million_tokens
from course.capacity.objectives import SRE_ALERTS, Alert, burn_rate, burn_rates, error_budget, fire, firing
from course.capacity.preemption import daly_interval, expected_seconds, run_preempted, young_interval
from course.capacity.queues import (
    Queue,
    erlang_b,
    erlang_c,
    halfin_whitt,
    mean_wait_general,
    number_inside,
    servers_for,
    square_root_staffing,
)
from course.capacity.rollout import Decision, Sequential, peek, slow_requests
from course.capacity.simulation import (
    Served,
    inside_at,
    poisson_by_period,
    serve_in_batches,
    serve_in_order,
    serve_partitioned,
    serve_time_sliced,
    serve_with_simpy,
)

__all__ = [
    "SRE_ALERTS",
    "Alert",
    "Autoscaler",
    "Decision",
    "Queue",
    "Scaled",
    "Sequential",
    "Served",
    "burn_rate",
    "burn_rates",
    "cost_per_audio_hour",
    "cost_per_million_tokens",
    "daly_interval",
    "desired_replicas",
    "erlang_b",
    "erlang_c",
    "error_budget",
    "expected_seconds",
    "fire",
    "firing",
    "halfin_whitt",
    "inside_at",
    "mean_wait_general",
    "number_inside",
    "peek",
    "poisson_by_period",
    "run_autoscaler",
    "run_preempted",
    "serve_in_batches",
    "serve_in_order",
    "serve_partitioned",
    "serve_time_sliced",
    "serve_with_simpy",
    "servers_for",
    "slow_requests",
    "square_root_staffing",
    "young_interval",
]
