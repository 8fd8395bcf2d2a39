"""Speed on this machine: counts are asserted, seconds are reported, ratios come from one run."""
