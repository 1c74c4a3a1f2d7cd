"""An application on greenlets. Prints whether everything was sent, and from how many threads.

python greenlets.py gevent|eventlet FOLDER
"""

import sys
import threading

if sys.argv[1] == "gevent":
    from gevent import monkey

    monkey.patch_all()
else:
    import eventlet

    eventlet.monkey_patch()

from tuppence import config as configuration
from tuppence.capture.client import Client
from tuppence.capture.sender import Sender

sending = set()


def watched(self, *args, work=Sender.work, **options):
    sending.add(threading.get_native_id())
    return work(self, *args, **options)


Sender.work = watched
client = Client(configuration.load(f"{sys.argv[2]}/tuppence.toml", environ={}))
greenlets = [
    threading.Thread(target=lambda: [client.capture("tick", n=n) for n in range(100)]) for _ in range(5)
]
for greenlet in greenlets:
    greenlet.start()
for greenlet in greenlets:
    greenlet.join()
flushed = client.flush(30)
client.capture("last")
closed = client.close(30)
print(flushed, closed, len(sending), threading.get_native_id() in sending)  # noqa: T201 - its answer
