"""The SNAP RF mesh: who hears whom, and floods over the air, in two engines with one trace."""
