"""What-if: runs of many designs, compared with honest intervals."""
