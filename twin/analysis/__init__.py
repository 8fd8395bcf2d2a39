"""What rows say: KPIs, job analysis, histograms."""
