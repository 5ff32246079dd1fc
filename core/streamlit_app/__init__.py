"""The edge: the only part of core that knows Streamlit."""

import os

# Read when torch is loaded: its threads then sleep while they wait, where by default they spin and, on a busy machine,
# take five times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
