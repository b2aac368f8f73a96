"""What happens in a run: four nodes, the events that they send, and the faults among them."""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from adspark.sandbox.dify.content.copywriting import Copy
from adspark.sandbox.dify.content.drawing import Poster, draw_poster
from adspark.sandbox.dify.faults import DifyFaultKind, Hits
from adspark.sandbox.dify.files import Drawing, FileBox
from adspark.sandbox.dify.refusals import BROKEN_MODEL
from adspark.sandbox.dify.runs.run import Json, Run, Status
from adspark.sandbox.dify.shape import Outputs

_CHUNKS = 6  # of the copy, as the model writes it
_MODEL_SHARE = 0.4  # of a run's time; the picture takes the rest
_SLOWER = 5.0  # seconds that the fault `slow` adds
_FAILURE = "Run failed: the drawing tool gave up (fault failed_run)."


@dataclass(frozen=True)
class Node:
    """One step of the workflow."""

    id: str
    kind: str
    title: str


NODES = (
    Node("1700000000001", "start", "Start"),
    Node("1700000000002", "llm", "Write copy"),
    Node("1700000000003", "tool", "Draw picture"),
    Node("1700000000004", "end", "End"),
)


@dataclass(frozen=True)
class Plan:
    """What a run will give, and what goes wrong with it."""

    poster: Poster
    outputs: Outputs
    seconds: float
    hits: Hits


class Performer:
    """Performs runs."""

    def __init__(self, files: FileBox, base_url: str) -> None:
        self._files = files
        self._base_url = base_url

    async def perform(self, run: Run, plan: Plan) -> None:
        """From the first event to the last."""
        run.tell(
            "workflow_started",
            {
                "id": run.id,
                "workflow_id": run.workflow_id,
                "inputs": run.inputs,
                "created_at": run.created_at,
                "reason": "initial",
            },
        )
        if DifyFaultKind.ERROR_EVENT in plan.hits:
            run.end(Status.FAILED, BROKEN_MODEL.message)
            run.add({"event": "error", **BROKEN_MODEL.body})
            return
        start, model, tool, end = NODES
        _finish_node(run, start, _start_node(run, start), run.inputs)
        slow = plan.hits.get(DifyFaultKind.SLOW)
        extra = 0.0 if slow is None else _SLOWER if slow.seconds is None else slow.seconds
        seconds = plan.seconds + extra
        await self._write(run, model, plan.poster.copy, seconds * _MODEL_SHARE)
        node = _start_node(run, tool)
        await asyncio.sleep(seconds * (1 - _MODEL_SHARE))
        if DifyFaultKind.FAILED_RUN in plan.hits:
            _finish_node(run, tool, node, None, _FAILURE)
            run.end(Status.FAILED, _FAILURE)
        else:
            outputs, files = await self._make_outputs(plan)
            _finish_node(run, tool, node, {"files": files})
            _finish_node(run, end, _start_node(run, end), outputs)
            run.outputs, run.files = outputs, files
            run.end(Status.SUCCEEDED)
        run.add(run.last_event())

    async def _write(self, run: Run, node: Node, copy: Copy, seconds: float) -> None:
        started = _start_node(run, node)
        chunks = list(_split(copy.text))
        for chunk in chunks:
            await asyncio.sleep(seconds / len(chunks))
            run.tell("text_chunk", {"text": chunk, "from_variable_selector": [node.id, "text"]})
        run.total_tokens = len(copy.text) // 4
        _finish_node(run, node, started, {"text": copy.text})

    async def _make_outputs(self, plan: Plan) -> tuple[Json, list[Json]]:
        """The outputs, and the files among them."""
        text = plan.poster.copy.text
        if plan.outputs is Outputs.NOTHING:
            return {"answer": 42}, []
        if plan.outputs is Outputs.NONE:
            return {}, []
        has_picture = DifyFaultKind.NO_PICTURE not in plan.hits
        is_file = plan.outputs in (Outputs.FILE, Outputs.FILE_LIST)
        if not has_picture:
            missing: Json = {} if plan.outputs is Outputs.MARKDOWN else {"json": []}
            return {"text": text, **({"image": None} if is_file else missing)}, []
        is_broken = DifyFaultKind.BROKEN_PICTURE in plan.hits
        drawing = self._files.add_drawing(plan.poster, is_broken=is_broken)
        is_expired = DifyFaultKind.EXPIRED_PICTURE in plan.hits
        path = self._files.sign_drawing(drawing, is_expired=is_expired)
        address = f"{self._base_url}{path}"
        if is_file:
            file = await _describe_file(drawing, address)
            return {"text": text, "image": file if plan.outputs is Outputs.FILE else [file]}, [file]
        if plan.outputs is Outputs.MARKDOWN:
            return {"text": f"{text}\n\n![variant]({address})"}, []
        shown = path if plan.outputs is Outputs.RELATIVE else address
        return {"text": text, "json": [{"result": shown}]}, []


async def _describe_file(drawing: Drawing, address: str) -> Json:
    """A drawing as Dify's file object."""
    png = await run_in_threadpool(draw_poster, drawing.poster)
    return {
        "dify_model_identity": "__dify__file__",
        "id": drawing.id,
        "tenant_id": "sandbox",
        "type": "image",
        "transfer_method": "tool_file",
        "remote_url": None,
        "related_id": drawing.id,
        "filename": f"{drawing.id}.png",
        "extension": ".png",
        "mime_type": "image/png",
        "size": len(png),
        "url": address,
    }


def _start_node(run: Run, node: Node) -> Json:
    run.total_steps += 1
    data: Json = {
        "id": str(uuid.uuid4()),
        "node_id": node.id,
        "node_type": node.kind,
        "title": node.title,
        "index": run.total_steps,
        "predecessor_node_id": None,
        "inputs": None,
        "created_at": run.now(),
        "extras": {},
    }
    run.tell("node_started", data)
    return data


def _finish_node(
    run: Run, node: Node, started: Json, outputs: Json | None, error: str | None = None
) -> None:
    tokens = {"total_tokens": run.total_tokens} if node.kind == "llm" else None
    run.tell(
        "node_finished",
        started
        | {
            "outputs": outputs,
            "status": "failed" if error else "succeeded",
            "error": error,
            "elapsed_time": 0.0,
            "execution_metadata": tokens,
            "finished_at": run.now(),
            "files": [],
        },
    )


def _split(text: str) -> Iterator[str]:
    """Into pieces as a model streams them."""
    length = -(-len(text) // _CHUNKS)
    for start in range(0, len(text), length):
        yield text[start : start + length]
