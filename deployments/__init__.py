"""Where and when it runs: queue classes, provisioning, the local stack and the command."""

import gc

# New objects after which Python looks for garbage, in every process of the product: at its own 700,
# imports set it off again and again for nothing.
gc.set_threshold(20_000)
