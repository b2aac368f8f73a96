"""What happens in which order: one flow a file; file, flow and deployment bear one name.

Whoever imports one works on the local stack that runs on this machine, if one does.
"""

from flows.running_stack import use_running_stack

use_running_stack()
