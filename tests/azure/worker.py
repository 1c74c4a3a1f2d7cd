"""Microsoft's library for Python workers, called as its worker calls it: a line of JSON in, a line out.

Run by a Python that has `azure-functions-runtime`, with the folder of a function app as argument. The
messages of the protocol are stand-ins with the same attributes: the library is handed their module.
"""

import asyncio
import json
import os
import sys
import types

FOLDER = os.path.abspath(sys.argv[1])  # noqa: PTH100 - as the worker is told it
OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what functions print is for people
sys.path[:0] = [FOLDER, os.path.join(FOLDER, ".python_packages/lib/site-packages")]  # noqa: PTH118 - as above

import azure_functions_runtime as runtime  # noqa: E402 - from beside the app's own


class Message:
    """Any message: it has what it was given, and `None` for the rest."""

    def __init__(self, **told):
        self.__dict__.update(told)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)


class Protocol(types.ModuleType):
    """Every message there is, and the values of the enumerations that are used."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Message,), {"Failure": 0, "Success": 1, "out": 1, "inout": 2})


class Data:
    """`TypedData`: a value and which of the kinds it is."""

    def __init__(self, value, kind):
        self.kind = kind
        setattr(self, kind, value.encode("latin-1") if kind == "bytes" else value)

    def WhichOneof(self, _):  # noqa: N802 - the protocol's name
        return self.kind

    def HasField(self, name):  # noqa: N802 - the protocol's name
        return name == self.kind


class Bound:
    """`ParameterBinding`."""

    def __init__(self, name, data):
        self.name = name
        self.data = data

    def WhichOneof(self, _):  # noqa: N802 - the protocol's name
        return "data"


def asked(**told):
    request = types.SimpleNamespace(**told)
    return types.SimpleNamespace(
        request=request, properties={"host": "127.0.0.1", "protos": Protocol("protos")}
    )


async def started():
    told = types.SimpleNamespace(capabilities={}, function_app_directory=FOLDER, worker_directory=FOLDER)
    await runtime.worker_init_request(asked(worker_init_request=told))
    told = types.SimpleNamespace(function_app_directory=FOLDER)
    found = await runtime.functions_metadata_request(asked(functions_metadata_request=told))
    if found.result.status != 1:
        raise SystemExit(str(found.result.exception.message))
    runtime.start_threadpool_executor()
    return {one.name: one for one in found.function_metadata_results}


async def call(function, argument, data, metadata):
    told = types.SimpleNamespace(
        invocation_id="8a9c1a6e-3e4c-4f6e-9f0a-52a4a6d7f0b1",
        function_id=function.function_id,
        input_data=[Bound(argument, Data(*data))],
        trigger_metadata={name: Data(*about) for name, about in metadata.items()},
        trace_context=types.SimpleNamespace(trace_parent="00-1", trace_state="", attributes={}),
        retry_context=types.SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    done = await runtime.invocation_request(asked(invocation_request=told))
    return {"done": done.result.status == 1, "error": getattr(done.result.exception, "message", "")}


async def main():
    functions = await started()
    bindings = {name: [json.loads(one) for one in about.raw_bindings] for name, about in functions.items()}
    print(json.dumps(bindings), file=OUT, flush=True)
    for line in sys.stdin:
        name, argument, data, metadata = json.loads(line)
        print(json.dumps(await call(functions[name], argument, data, metadata)), file=OUT, flush=True)


asyncio.run(main())
