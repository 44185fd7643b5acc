"""A tour of the conformance pack by the official Python SDK: prints what it saw as JSON.

    tour.py ERA URL             over Streamable HTTP; over HTTP+SSE where the URL ends with /sse
    tour.py ERA COMMAND ARG...  over stdio

ERA is `legacy` (2025-11-25, a session) or `modern` (2026-07-28, none). `tour.mjs` takes the same tour; both are
compared with the same transcript. `tasks` is a tour of 2026-07-28 with the extension for tasks, which this SDK lets
its user write; the other one refuses their results.
"""

import json
import sys
import warnings
from typing import Any, Literal

import anyio
import mcp_types as types
from mcp import Client, MCPError
from mcp.client import ClientExtension, ResultClaim
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters

WATCHED = "test://watched-resource"


def shown(content):
    """A piece of content without what a test need not repeat."""
    match content.type:
        case "text":
            return content.text
        case "image" | "audio":
            return f"{content.type} {content.mime_type}, {len(content.data)} characters"
        case "resource":
            return f"resource {content.resource.uri} {content.resource.mime_type}: {content.resource.text}"
        case "resource_link":
            return f"link {content.uri} {content.name}"


def result(answer):
    seen = {"error": bool(answer.is_error), "content": [shown(content) for content in answer.content]}
    if answer.structured_content is not None:
        seen["structured"] = answer.structured_content
    return seen


async def refusal(call, what):
    """What of the error's data names what was asked for; the codes are translated by one of the SDKs."""
    try:
        await call
    except MCPError as error:
        return error.error.data[what]
    return None


class CreatedTask(types.Result):
    """What is answered instead of a result."""

    result_type: Literal["task"]
    task_id: str
    status: str


class Task(types.Result):
    status: str
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    input_requests: dict[str, Any] | None = None


class Nothing(types.Result):
    pass


class OfTask(types.Request[dict[str, Any], str]):
    name_param = "taskId"


class Tasks(ClientExtension):
    """Follows a task until it is over, and answers what it asks."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self, elicit):
        self.elicit = elicit
        self.statuses = []

    def claims(self):
        return [ResultClaim(result_type="task", model=CreatedTask, resolve=self.follow)]

    async def ask(self, session, method, answer, task_id, **more):
        return await session.send_request(OfTask(method=method, params={"taskId": task_id, **more}), answer)

    async def until_over(self, session, task_id):
        statuses, answered = [], set()
        while True:
            task = await self.ask(session, "tasks/get", Task, task_id)
            if task.status not in statuses:
                statuses.append(task.status)
            if task.status in ("completed", "failed", "cancelled"):
                self.statuses.append(statuses[-1])
                return task
            new = {key: asked for key, asked in (task.input_requests or {}).items() if key not in answered}
            if new:
                replies = {}
                for key, asked in sorted(new.items()):
                    params = types.ElicitRequestFormParams.model_validate(asked["params"])
                    reply = await self.elicit(None, params)
                    replies[key] = reply.model_dump(by_alias=True, exclude_none=True)
                await self.ask(session, "tasks/update", Nothing, task_id, inputResponses=replies)
                answered.update(new)
            await anyio.sleep(0.02)

    async def follow(self, created, context):
        task = await self.until_over(context.session, created.task_id)
        if task.error is not None:
            raise MCPError(**task.error)
        return types.CallToolResult.model_validate(task.result, by_name=False)


class Tour:
    def __init__(self, era, target):
        self.era = era
        self.asked, self.logs, self.updates, self.changes = [], [], [], []
        if target[0].endswith("/sse"):
            server = sse_client(target[0])
        elif target[0].startswith("http"):
            server = target[0]
        else:
            server = StdioServerParameters(command=target[0], args=target[1:])
        self.tasks = Tasks(self.elicit)
        self.client = Client(
            server,
            mode="legacy" if era == "legacy" else "auto",
            read_timeout_seconds=60,
            log_level="info",
            elicitation_callback=self.elicit,
            sampling_callback=self.sample,
            list_roots_callback=self.roots,
            logging_callback=self.log,
            message_handler=self.message,
            client_info=types.Implementation(name="tour", version="1"),
            cache=None,
            extensions=[self.tasks] if era == "tasks" else None,
        )

    async def elicit(self, _, params):
        self.asked.append(params.message)
        if params.mode == "url":
            self.asked.append(params.url)
            return types.ElicitResult(action="accept")
        values = {"username": "Ada", "email": "ada@example.com", "name": "Ada", "color": "blue", "context": "a tour"}
        values["confirm"] = True
        wanted = params.requested_schema["properties"]
        return types.ElicitResult(action="accept", content={k: v for k, v in values.items() if k in wanted})

    async def sample(self, _, params):
        self.asked.append(params.messages[0].content.text)
        said = types.TextContent(type="text", text="Paris")
        return types.CreateMessageResult(role="assistant", content=said, model="model", stop_reason="endTurn")

    async def roots(self, _):
        return types.ListRootsResult(roots=[types.Root(uri="file:///tour", name="tour")])

    async def log(self, params):
        self.logs.append([params.level, params.data])

    async def message(self, message):
        if isinstance(message, types.ResourceUpdatedNotification):
            self.updates.append(str(message.params.uri))
        if isinstance(message, types.ToolListChangedNotification):
            self.changes.append("tools")

    async def all(self, method, key):
        """Every page of a list."""
        entries, cursor = [], None
        while True:
            page = await method(cursor=cursor)
            entries += getattr(page, key)
            cursor = page.next_cursor
            if cursor is None:
                return entries

    async def call(self, name, arguments=None, **options):
        return result(await self.client.call_tool(name, arguments or {}, **options))

    async def announced(self, tool, seen):
        """Calls a tool until the client was told. A stream may open after the first time."""
        with anyio.fail_after(30):
            while not seen:
                await self.client.call_tool(tool, {})
                with anyio.move_on_after(0.5):
                    while not seen:
                        await anyio.sleep(0.01)
        return seen[0]

    async def subscriptions(self):
        client = self.client
        if self.era == "legacy":
            await client.subscribe_resource(WATCHED)
            updated = await self.announced("test_trigger_resource_update", self.updates)
            changed = await self.announced("test_trigger_tool_change", self.changes)
            await client.unsubscribe_resource(WATCHED)
            return [updated, changed]
        async with client.listen(tools_list_changed=True, resource_subscriptions=[WATCHED]) as subscription:
            async with anyio.create_task_group() as group:

                async def follow():
                    async for event in subscription:
                        if type(event).__name__ == "ResourceUpdated":
                            self.updates.append(event.uri)
                        else:
                            self.changes.append("tools")

                group.start_soon(follow)
                updated = await self.announced("test_trigger_resource_update", self.updates)
                changed = await self.announced("test_trigger_tool_change", self.changes)
                group.cancel_scope.cancel()
        return [updated, changed]

    async def take(self):
        client = self.client
        seen = {"protocol": client.protocol_version, "server": client.server_info.name}
        seen["capabilities"] = sorted(client.server_capabilities.model_dump(by_alias=True, exclude_none=True))
        seen["tools"] = [tool.name for tool in await self.all(client.list_tools, "tools")]
        seen["prompts"] = [prompt.name for prompt in await self.all(client.list_prompts, "prompts")]
        seen["resources"] = [str(item.uri) for item in await self.all(client.list_resources, "resources")]
        templates = await self.all(client.list_resource_templates, "resource_templates")
        seen["templates"] = [template.uri_template for template in templates]

        progress = []

        async def report(done, total, message):
            progress.append([int(done), int(total), message])

        if self.era == "legacy":
            await client.set_logging_level("info")
        calls = {
            "test_simple_text": None,
            "test_image_content": None,
            "test_audio_content": None,
            "test_multiple_content_types": None,
            "test_resource_link": None,
            "test_structured_content": {"celsius": 21.5},
            "test_error_handling": None,
            "test_tool_with_logging": None,
            "test_elicitation": {"message": "Who are you?"},
            "test_elicitation_url": None,
            "test_sampling": {"prompt": "What is the capital of France?"},
            "test_input_required_result_list_roots": None,
            "test_input_required_result_multi_round": None,
            "test_custom_header": {"value": "Grüße, 世界"},
            "greet": {"name": "Ada"},
        }
        seen["calls"] = {name: await self.call(name, arguments) for name, arguments in calls.items()}
        await self.call("test_tool_with_progress", progress_callback=report)
        seen["progress"], seen["logs"], seen["asked"] = progress, self.logs, self.asked
        seen["refused"] = {
            "arguments": await self.call("greet", {}),
            "tool": await refusal(client.call_tool("no_such_tool", {}), "name"),
            "prompt": await refusal(client.get_prompt("no_such_prompt", {}), "name"),
            "resource": await refusal(client.read_resource("test://no-such-resource"), "uri"),
        }
        reads = {}
        for uri in ["test://static-text", "test://static-binary", "test://template/42/data", "test://greeting/german"]:
            [content] = (await client.read_resource(uri)).contents
            body = content.text if hasattr(content, "text") else f"{len(content.blob)} characters"
            reads[uri] = f"{content.mime_type}: {body}"
        seen["reads"] = reads
        prompts = {}
        for name, arguments in [
            ("test_simple_prompt", {}),
            ("test_prompt_with_arguments", {"arg1": "one", "arg2": "two"}),
            ("test_prompt_with_embedded_resource", {"resourceUri": "test://static-text"}),
            ("test_prompt_with_image", {}),
            ("test_prompt_with_choices", {"style": "formal"}),
            ("test_input_required_result_prompt", {}),
        ]:
            prompt = await client.get_prompt(name, arguments)
            prompts[name] = [f"{message.role}: {shown(message.content)}" for message in prompt.messages]
        seen["gets"] = prompts
        of_prompt = types.PromptReference(type="ref/prompt", name="test_prompt_with_choices")
        of_template = types.ResourceTemplateReference(type="ref/resource", uri="test://greeting/{language}")
        seen["completions"] = [
            (await client.complete(of_prompt, {"name": "style", "value": "f"})).completion.values,
            (await client.complete(of_template, {"name": "language", "value": "d"})).completion.values,
        ]
        seen["told"] = await self.subscriptions()
        with anyio.move_on_after(0.5) as scope:
            await client.call_tool("slow_compute", {"seconds": 30})
        seen["cancelled"] = scope.cancelled_caught
        seen["after"] = await self.call("greet", {"name": "again"})
        return seen

    async def take_tasks(self):
        client = self.client
        calls = {
            "greet": {"name": "Ada"},
            "slow_compute": {"seconds": 0, "label": "sum"},
            "failing_job": {},
            "confirm_delete": {"filename": "notes"},
            "multi_input": {},
            "test_tool_with_task": {},
        }
        seen = {"calls": {name: await self.call(name, arguments) for name, arguments in calls.items()}}
        try:
            await client.call_tool("protocol_error_job", {})
        except MCPError as error:
            seen["failed"] = [error.code, error.message]
        slow = {"seconds": 60}
        created = await client.session.call_tool("slow_compute", slow, allow_claimed=True)
        await self.tasks.ask(client.session, "tasks/cancel", Nothing, created.task_id)
        await self.tasks.until_over(client.session, created.task_id)
        seen["asked"], seen["ended"] = self.asked, self.tasks.statuses
        return seen


async def main():
    tour = Tour(sys.argv[1], sys.argv[2:])
    with anyio.fail_after(120):
        async with tour.client:
            seen = await (tour.take_tasks() if tour.era == "tasks" else tour.take())
    print(json.dumps(seen, indent=2, ensure_ascii=False))


# Logging, sampling and roots are deprecated, and served all the same.
warnings.simplefilter("ignore")
anyio.run(main)
