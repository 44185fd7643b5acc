// A tour of the conformance pack by the official TypeScript SDK: prints what it saw as JSON.
//
//   tour.mjs ERA URL             over Streamable HTTP; over HTTP+SSE where the URL ends with /sse
//   tour.mjs ERA COMMAND ARG...  over stdio
//
// ERA is `legacy` (2025-11-25, a session) or `modern` (2026-07-28, none). `tour.py` takes the same tour; both are
// compared with the same transcript. The SDK is found in the folder that `TOUR_MODULES` names.
// It knows no tasks: 2.4.0 throws UNSUPPORTED_RESULT_TYPE at the result of a call that became one, and
// METHOD_NOT_SUPPORTED_BY_PROTOCOL_VERSION at `tasks/get`.
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(`${process.env.TOUR_MODULES}/`);
const { Client, SSEClientTransport, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");
const { StdioClientTransport } = require("@modelcontextprotocol/client/stdio");

const WATCHED = "test://watched-resource";
const [era, ...target] = process.argv.slice(2);
const modern = era === "modern";
const asked = [];
const logs = [];
const updates = [];
const changes = [];

const client = new Client(
  { name: "tour", version: "1" },
  {
    capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
    versionNegotiation: { mode: modern ? { pin: "2026-07-28" } : "legacy" },
  },
);

client.setRequestHandler("elicitation/create", async ({ params }) => {
  asked.push(params.message);
  if (params.mode === "url") {
    asked.push(params.url);
    return { action: "accept" };
  }
  const values = { username: "Ada", email: "ada@example.com", name: "Ada", color: "blue", context: "a tour" };
  const wanted = Object.entries(values).filter(([name]) => name in params.requestedSchema.properties);
  return { action: "accept", content: Object.fromEntries(wanted) };
});
client.setRequestHandler("sampling/createMessage", async ({ params }) => {
  const [{ content }] = params.messages;
  asked.push([content].flat()[0].text);
  return { role: "assistant", content: { type: "text", text: "Paris" }, model: "model", stopReason: "endTurn" };
});
client.setRequestHandler("roots/list", async () => ({ roots: [{ uri: "file:///tour", name: "tour" }] }));
client.setNotificationHandler("notifications/message", ({ params }) => {
  logs.push([params.level, params.data]);
});
client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
  updates.push(params.uri);
});
client.setNotificationHandler("notifications/tools/list_changed", () => {
  changes.push("tools");
});

// A piece of content without what a test need not repeat.
function shown(content) {
  switch (content.type) {
    case "text":
      return content.text;
    case "image":
    case "audio":
      return `${content.type} ${content.mimeType}, ${content.data.length} characters`;
    case "resource":
      return `resource ${content.resource.uri} ${content.resource.mimeType}: ${content.resource.text}`;
    case "resource_link":
      return `link ${content.uri} ${content.name}`;
  }
}

function result(answer) {
  const seen = { error: Boolean(answer.isError), content: answer.content.map(shown) };
  if (answer.structuredContent !== undefined) seen.structured = answer.structuredContent;
  return seen;
}

// 2026-07-28 asks for log messages call by call.
const wantsLogs = modern ? { _meta: { "io.modelcontextprotocol/logLevel": "info" } } : {};
const call = async (name, args, options) =>
  result(await client.callTool({ name, arguments: args ?? {}, ...wantsLogs }, options));

// What of the error's data names what was asked for; the SDK translates the codes.
async function refusal(promise, what) {
  try {
    await promise;
  } catch (error) {
    return error.data[what];
  }
  return null;
}

// Calls a tool until the client was told. A stream may open after the first time.
async function announced(tool, seen) {
  for (const end = Date.now() + 30_000; seen.length === 0 && Date.now() < end; ) {
    await client.callTool({ name: tool, arguments: {} });
    for (const wait = Date.now() + 500; seen.length === 0 && Date.now() < wait; ) await sleep(10);
  }
  return seen[0];
}

async function subscriptions() {
  const subscription = modern
    ? await client.listen({ toolsListChanged: true, resourceSubscriptions: [WATCHED] })
    : await client.subscribeResource({ uri: WATCHED });
  const told = [
    await announced("test_trigger_resource_update", updates),
    await announced("test_trigger_tool_change", changes),
  ];
  await (modern ? subscription.close() : client.unsubscribeResource({ uri: WATCHED }));
  return told;
}

async function tour() {
  const seen = { protocol: client.getNegotiatedProtocolVersion(), server: client.getServerVersion()?.name };
  seen.capabilities = Object.keys(client.getServerCapabilities()).sort();
  // Without arguments the SDK follows every cursor.
  seen.tools = (await client.listTools()).tools.map((tool) => tool.name);
  seen.prompts = (await client.listPrompts()).prompts.map((prompt) => prompt.name);
  seen.resources = (await client.listResources()).resources.map((resource) => resource.uri);
  seen.templates = (await client.listResourceTemplates()).resourceTemplates.map((template) => template.uriTemplate);

  if (!modern) await client.setLoggingLevel("info");
  seen.calls = {};
  for (const [name, args] of [
    ["test_simple_text"],
    ["test_image_content"],
    ["test_audio_content"],
    ["test_multiple_content_types"],
    ["test_resource_link"],
    ["test_structured_content", { celsius: 21.5 }],
    ["test_error_handling"],
    ["test_tool_with_logging"],
    ["test_elicitation", { message: "Who are you?" }],
    ["test_elicitation_url"],
    ["test_sampling", { prompt: "What is the capital of France?" }],
    ["test_input_required_result_list_roots"],
    ["test_input_required_result_multi_round"],
    ["test_custom_header", { value: "Grüße, 世界" }],
    ["greet", { name: "Ada" }],
  ]) {
    seen.calls[name] = await call(name, args);
  }
  const progress = [];
  const onprogress = ({ progress: done, total, message }) => progress.push([done, total, message]);
  await call("test_tool_with_progress", {}, { onprogress });
  Object.assign(seen, { progress, logs, asked });
  seen.refused = {
    arguments: await call("greet", {}),
    tool: await refusal(client.callTool({ name: "no_such_tool", arguments: {} }), "name"),
    prompt: await refusal(client.getPrompt({ name: "no_such_prompt", arguments: {} }), "name"),
    resource: await refusal(client.readResource({ uri: "test://no-such-resource" }), "uri"),
  };
  seen.reads = {};
  for (const uri of [
    "test://static-text",
    "test://static-binary",
    "test://template/42/data",
    "test://greeting/german",
  ]) {
    const [content] = (await client.readResource({ uri })).contents;
    seen.reads[uri] = `${content.mimeType}: ${content.text ?? `${content.blob.length} characters`}`;
  }
  seen.gets = {};
  for (const [name, args] of [
    ["test_simple_prompt", {}],
    ["test_prompt_with_arguments", { arg1: "one", arg2: "two" }],
    ["test_prompt_with_embedded_resource", { resourceUri: "test://static-text" }],
    ["test_prompt_with_image", {}],
    ["test_prompt_with_choices", { style: "formal" }],
    ["test_input_required_result_prompt", {}],
  ]) {
    const { messages } = await client.getPrompt({ name, arguments: args });
    seen.gets[name] = messages.map((message) => `${message.role}: ${shown(message.content)}`);
  }
  const complete = async (ref, name, value) =>
    (await client.complete({ ref, argument: { name, value } })).completion.values;
  seen.completions = [
    await complete({ type: "ref/prompt", name: "test_prompt_with_choices" }, "style", "f"),
    await complete({ type: "ref/resource", uri: "test://greeting/{language}" }, "language", "d"),
  ];
  seen.told = await subscriptions();
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 500);
  const slow = client.callTool({ name: "slow_compute", arguments: { seconds: 30 } }, { signal: abort.signal });
  seen.cancelled = await slow.then(
    () => false,
    () => abort.signal.aborted,
  );
  seen.after = await call("greet", { name: "again" });
  return seen;
}

const transport = target[0].endsWith("/sse")
  ? new SSEClientTransport(new URL(target[0]))
  : target[0].startsWith("http")
  ? new StreamableHTTPClientTransport(new URL(target[0]))
  : new StdioClientTransport({ command: target[0], args: target.slice(1), env: process.env });
await client.connect(transport);
const seen = await tour();
await client.close();
console.log(JSON.stringify(seen, null, 2));
