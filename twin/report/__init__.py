"""What is left behind: the report of a run, and that of an experiment, one HTML file each."""

from twin.report.experiment import ExperimentPage, write_experiment
from twin.report.page import number_text, writable
from twin.report.run import (
    Outputs,
    headline,
    kpi_texts,
    prepare,
    reached,
    write_all,
    write_kpis,
    write_report,
)

__all__ = [
    "ExperimentPage",
    "Outputs",
    "headline",
    "kpi_texts",
    "number_text",
    "prepare",
    "reached",
    "writable",
    "write_all",
    "write_experiment",
    "write_kpis",
    "write_report",
]
