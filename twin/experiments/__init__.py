"""What-if: runs of many designs on common random numbers, compared with honest intervals."""
